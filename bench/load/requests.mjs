// Requests of the collection benchmarks: GETs of 20 parameters, 90 % by returning visitors. Ten parameters carry values that
// rules name, seven are the kind a page sends along (address, title, time, window) and no rule names, three are ours.
// The same maker feeds our server and the bare one, so both sides parse the same bytes.

export const KEYS = 40
export const VALUES = 500

/** A small generator with a seed, so that a run can be repeated (xorshift32). */
export function randomOf(seed) {
  let state = seed >>> 0 || 1
  return (below) => {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state % below
  }
}

/** The n-th visitor of the stored population. */
export function visitorId(n) {
  const spread = (BigInt(n) * 0x9e3779b97f4a7c15n + 0x1234567n) & ((1n << 64n) - 1n)
  return `4${String(n).padStart(9, '0')}${spread.toString().padStart(28, '0')}`
}

/** @returns a function that gives the bytes of the next request */
export function requestMaker({ population = 0, seed = 1, host = 'shop.example.com', returning = 0.9 }) {
  const random = randomOf(seed)
  const makeOne = () => {
    const isReturning = random(1000) < returning * 1000
    const id = isReturning
      ? visitorId(random(Math.max(1, population)))
      : visitorId(population + 1 + random(2_000_000_000))
    let query = `d_rtbd=json&d_uuid=${id}&d_ptfm=browser`
    const first = random(KEYS)
    for (let i = 0; i < 10; i++) query += `&c_k${(first + i * 3) % KEYS}=v${random(VALUES)}`
    query += `&c_url=https%3A%2F%2Fshop.example.com%2Fp%2F${random(1_000_000)}&c_title=Page%20${random(5_000)}&c_ts=${1_795_000_000_000 + random(2_000_000_000)}`
    query += `&c_w=${800 + random(1_200)}&c_h=${600 + random(800)}&c_lang=en-GB&c_ver=3.${random(20)}.${random(10)}`
    return Buffer.from(
      `GET /event?${query} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) bench\r\nAccept: */*\r\nAccept-Language: en\r\n\r\n`,
      'latin1',
    )
  }
  // Made before the clock starts, so that the generator spends its processor on sockets.
  const pool = Array.from({ length: 60_000 }, makeOne)
  let at = 0
  return () => {
    at = (at + 1) % pool.length
    return pool[at]
  }
}
