import type { PartnerRecord, TokenRecord } from './partner.ts'

/**
 * One line for a person: when, who, what happened, and whether the signature is genuine.
 * @param nameOf what a segment is called; default its id
 */
export function describeRecord(record: PartnerRecord, nameOf: (segmentId: string) => string = (id) => id): string {
  return `${timeOf(record)}  ${describeUsers(record, nameOf)}  ${describeSignature(record)}${describeAnswer(record)}`
}

/** One line about a request for a token: a sender that gets none sends nothing, and this says why. */
export function describeToken(record: TokenRecord): string {
  const { answer, complaints } = record
  if (answer === 200) return `${timeOf(record)}  token issued`
  return `${timeOf(record)}  NO TOKEN, answered ${answer}: ${complaints.join('; ') || 'as it was told to'}`
}

function timeOf({ receivedAtMs }: { readonly receivedAtMs: number }): string {
  return new Date(receivedAtMs).toISOString().slice(11, 19)
}

function describeUsers(
  { message, changes, complaints, method, path, answer }: PartnerRecord,
  nameOf: (segmentId: string) => string,
): string {
  if (message === undefined)
    return method === 'GET' ? `GET ${path.slice(0, 120)}` : `not readable: ${complaints[0] ?? 'no reason known'}`
  const isAccepted = typeof answer === 'number' && answer >= 200 && answer < 300
  const lines = message.Users.map((user) => {
    const own = changes.filter(
      (change) => change.deviceId === user.AAM_UUID && change.partnerId === user.DataPartner_UUID,
    )
    const words = own.map((change) => `${change.what} ${nameOf(change.segmentId)}`)
    const stays = user.Segments.filter((segment) => segment.Status === '1').map((segment) => nameOf(segment.Segment_ID))
    // What was refused is not known here: what the message asked for is all there is to say.
    const asked = user.Segments.map(
      (segment) => `${segment.Status === '1' ? 'in' : 'out of'} ${nameOf(segment.Segment_ID)}`,
    )
    const nothingNew = !isAccepted
      ? `should be ${asked.join(', ')}`
      : stays.length === 0
        ? 'is in no segment'
        : `is still in ${stays.join(', ')}`
    return `visitor ${shorten(user.DataPartner_UUID)} ${words.length > 0 ? words.join(', ') : nothingNew}`
  })
  return lines.join('; ')
}

function describeSignature({ signature }: PartnerRecord): string {
  if (signature.status === 'verified') return '(signature verified)'
  if (signature.status === 'not_asked') return '(signature not checked)'
  return signature.status === 'wrong' ? '(SIGNATURE WRONG)' : '(SIGNATURE MISSING)'
}

function describeAnswer({ answer, complaints, message, method }: PartnerRecord): string {
  const said = answer === 200 ? '' : answer === 'reset' ? '  connection reset' : `  answered ${answer}`
  // The first complaint about what is not readable stands in its place already.
  const left = message === undefined && method !== 'GET' ? complaints.slice(1) : complaints
  return left.length === 0 ? said : `${said}: ${left.join('; ')}`
}

function shorten(id: string): string {
  return id.length <= 12 ? id : `${id.slice(0, 8)}…`
}
