/**
 * Keys of a call that are more than a signal, but for those about privacy (`privacy-flags.ts`). Source:
 * spec/collection.md sections 2 and 3.
 */
export type DeclaredKey = 'd_cid' | 'd_cid_ic' | 'd_cid_ns' | 'd_dpid' | 'd_dpuuid' | 'dpid' | 'dpuuid'

/** How a key is treated; every other key is a signal whose value may be a comma list. */
export type Role = 'declared' | 'declared_signal' | 'withheld' | 'ignored' | 'whole'

const roles: ReadonlyMap<string, Role> = new Map<string, Role>([
  ['d_cid', 'declared'],
  ['d_cid_ic', 'declared'],
  ['d_cid_ns', 'declared'],
  ['d_dpuuid', 'declared'],
  ['dpuuid', 'declared'],
  ['d_dpid', 'declared_signal'],
  ['dpid', 'declared_signal'],
  ['d_uuid', 'withheld'],
  ['d_mid', 'withheld'],
  ['d_first', 'withheld'],
  ['d_blob', 'withheld'],
  ['d_rd', 'withheld'],
  ['redir', 'withheld'],
  ['d_cb', 'withheld'],
  ['r_rand', 'withheld'],
  ['_ct', 'withheld'],
  // Cache busters and load information [COL-17], and a region that clients repeat to us [CLI-30].
  ['_ts', 'ignored'],
  ['ts', 'ignored'],
  ['d_ld', 'ignored'],
  ['d_bust', 'ignored'],
  ['dcs_region', 'ignored'],
  ['d_orgid', 'whole'],
])

/** @returns undefined for a key that is nothing but a signal; a look at the first letter spares most keys the look-up */
export function roleOf(key: string): Role | undefined {
  const first = key.charCodeAt(0)
  return first < ROLE_STARTS.length && ROLE_STARTS[first] === 1 ? roles.get(key) : undefined
}

const ROLE_STARTS = new Uint8Array(128)
for (const key of roles.keys()) ROLE_STARTS[key.charCodeAt(0)] = 1
