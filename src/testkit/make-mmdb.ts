/**
 * Writes a table in the MaxMind DB format: a search tree over the bits of an address, then the records.
 * @param networks IPv4 networks (`203.0.113.0/24`) with what the table says of them
 */
export function makeMmdb(networks: Readonly<Record<string, object>>, recordSize: 24 | 28 | 32 = 24): Buffer {
  const nodes: Tree[] = [[undefined, undefined]]
  const data: Buffer[] = []
  let dataBytes = 0
  for (const [network, record] of Object.entries(networks)) {
    const offset = dataBytes
    const bytes = encode(record)
    data.push(bytes)
    dataBytes += bytes.length
    const bits = bitsOf(network)
    let node = nodes[0] as Tree
    for (const bit of bits.slice(0, -1)) {
      const next = node[bit]
      if (next === undefined || 'offset' in next) {
        node[bit] = { node: nodes.length }
        nodes.push([undefined, undefined])
      }
      node = nodes[(node[bit] as { node: number }).node] as Tree
    }
    node[bits.at(-1) as 0 | 1] = { offset }
  }
  const recordOf = (side: Tree[0]) => {
    if (side === undefined) return nodes.length
    return 'node' in side ? side.node : nodes.length + 16 + side.offset
  }
  const tree = nodes.map(([left, right]) => packNode(recordOf(left), recordOf(right), recordSize))
  const metadata = {
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_790_000_000,
    database_type: 'Test',
    description: {},
    ip_version: 6,
    languages: [],
    node_count: nodes.length,
    record_size: recordSize,
  }
  return Buffer.concat([
    ...tree,
    Buffer.alloc(16),
    ...data,
    Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'),
    encode(metadata),
  ])
}

type Side = { readonly node: number } | { readonly offset: number } | undefined
type Tree = [Side, Side]

/** Of an IPv4 network in a tree of IPv6: 96 zeros first. */
function bitsOf(network: string): (0 | 1)[] {
  const [address = '', length = '32'] = network.split('/')
  const bits = address.split('.').flatMap((octet) => [...Number(octet).toString(2).padStart(8, '0')])
  return [...'0'.repeat(96), ...bits.slice(0, Number(length))].map((bit) => (bit === '1' ? 1 : 0))
}

function packNode(left: number, right: number, recordSize: number): Buffer {
  const node = Buffer.alloc(recordSize / 4)
  if (recordSize === 28) {
    node.writeUIntBE(left % 2 ** 24, 0, 3)
    node[3] = (Math.floor(left / 2 ** 24) << 4) | Math.floor(right / 2 ** 24)
    node.writeUIntBE(right % 2 ** 24, 4, 3)
  } else {
    node.writeUIntBE(left, 0, recordSize / 8)
    node.writeUIntBE(right, recordSize / 8, recordSize / 8)
  }
  return node
}

function encode(value: unknown): Buffer {
  if (typeof value === 'string') return Buffer.concat([control(2, Buffer.byteLength(value)), Buffer.from(value)])
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(value)
    return Buffer.concat([control(6, 4), bytes])
  }
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleBE(value)
    return Buffer.concat([control(3, 8), bytes])
  }
  if (Array.isArray(value)) return Buffer.concat([control(11, value.length), ...value.map(encode)])
  const entries = Object.entries(value as object)
  return Buffer.concat([control(7, entries.length), ...entries.flat().map(encode)])
}

/** Types above 7 stand in a byte of their own; sizes below 29 in the first. */
function control(type: number, size: number): Buffer {
  if (size >= 29) return Buffer.from(type > 7 ? [29, type - 7, size - 29] : [(type << 5) | 29, size - 29])
  return Buffer.from(type > 7 ? [size, type - 7] : [(type << 5) | size])
}
