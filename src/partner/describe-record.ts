import type { PartnerRecord } from './partner.ts'

/**
 * One line for a person: when, who, what happened, and whether the signature is genuine.
 * @param nameOf what a segment is called; default its id
 */
export function describeRecord(record: PartnerRecord, nameOf: (segmentId: string) => string = (id) => id): string {
  const time = new Date(record.receivedAtMs).toISOString().slice(11, 19)
  return `${time}  ${describeUsers(record, nameOf)}  ${describeSignature(record)}${describeAnswer(record)}`
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

function describeAnswer({ answer, complaints, message }: PartnerRecord): string {
  const said = answer === 200 ? '' : answer === 'reset' ? '  connection reset' : `  answered ${answer}`
  return message === undefined || complaints.length === 0 ? said : `${said}: ${complaints.join('; ')}`
}

function shorten(id: string): string {
  return id.length <= 12 ? id : `${id.slice(0, 8)}…`
}
