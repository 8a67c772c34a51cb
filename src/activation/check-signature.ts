import type { StoredDelivery } from '../store/delivery-record.ts'
import type { RunnerSettings } from './destinations/runner-settings.ts'
import { type Signature, signaturesOf, signedPart } from './sign.ts'

/** The signature of a message as it was sent, beside the one that its stored bytes and a key of today give. */
export interface CheckedSignature {
  readonly header: string
  readonly sent: string
  readonly recomputed: string
  readonly matches: boolean
  readonly algorithm: Signature['algorithm']
  /** From 1, in the order of the destination's keys of today. */
  readonly keyNumber: number
  readonly signedBytes: number
}

/**
 * Signs the stored bytes again. During and after a rotation a message carries several signatures: the one that a key of
 * today gives is shown, else the first. Nothing of a key is in the answer.
 * @returns undefined when the message was sent without a header that its destination signs in today
 */
export function checkSignature(
  config: Pick<RunnerSettings, 'auth' | 'mode'>,
  { method, url, body, headers }: Pick<StoredDelivery, 'method' | 'url' | 'body' | 'headers'>,
): CheckedSignature | undefined {
  const signed = signedPart(method, url, body)
  const checked = signaturesOf(config, signed).flatMap(({ header, value, algorithm, keyNumber }) => {
    const sent = headers.find(([name]) => name.toLowerCase() === header.toLowerCase())?.[1]
    if (sent === undefined) return []
    const signedBytes = Buffer.byteLength(signed)
    return [{ header, sent, recomputed: value, matches: sent === value, algorithm, keyNumber, signedBytes }]
  })
  return checked.find((one) => one.matches) ?? checked[0]
}
