/** Number of fixed partitions; every stored key begins with one (architecture, "Partitions"). Never change it. */
export const PARTITIONS = 4096

/**
 * The partition of a profile ID, or of any other text that owns records: FNV-1a over its UTF-16 units, folded to 12 bits.
 * Stored data depends on it.
 */
export function partitionOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  return (hash ^ (hash >>> 12)) & (PARTITIONS - 1)
}
