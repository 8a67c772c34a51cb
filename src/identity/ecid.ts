import { hash } from 'node:crypto'
import type { DeviceId } from '../model/ids.ts'

/**
 * The Experience Cloud ID of a device for an organization: a keyed, invertible mapping of 38 digits onto 38 digits, so
 * that the same pair always gives the same ECID and any well-formed ECID, issued or not, names one device
 * [COL-59], [COL-60]. A balanced Feistel network over two halves of 19 digits; each round adds (or, backwards,
 * subtracts) SHA-256 of key, organization, round and the other half, modulo 10^19.
 */
export interface EcidMapper {
  ecidOf(organization: string, deviceId: DeviceId): string
  /** @param ecid 38 digits */
  deviceOf(organization: string, ecid: string): DeviceId
}

const ROUNDS = 8
const HALF = 10n ** 19n

/** @param key made once for the installation and never rotated: another key gives every visitor another ECID */
export function makeEcidMapper(key: Buffer): EcidMapper {
  const secret = key.toString('base64')
  const mask = (organization: string, round: number, half: bigint) =>
    BigInt(`0x${hash('sha256', `${secret}|${organization}|${round}|${half}`, 'hex').slice(0, 32)}`) % HALF

  return {
    ecidOf(organization, deviceId) {
      let [left, right] = halves(deviceId)
      for (let round = 0; round < ROUNDS; round++) {
        ;[left, right] = [right, (left + mask(organization, round, right)) % HALF]
      }
      return join(left, right)
    },
    deviceOf(organization, ecid) {
      let [left, right] = halves(ecid)
      for (let round = ROUNDS - 1; round >= 0; round--) {
        ;[left, right] = [(right - mask(organization, round, left) + HALF) % HALF, left]
      }
      return join(left, right) as DeviceId
    },
  }
}

function halves(digits: string): [bigint, bigint] {
  return [BigInt(digits.slice(0, 19)), BigInt(digits.slice(19))]
}

function join(left: bigint, right: bigint): string {
  return left.toString().padStart(19, '0') + right.toString().padStart(19, '0')
}
