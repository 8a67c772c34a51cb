// Reads an answer of /event the way a strictly typed mobile SDK does: one value of the wrong type discards the whole
// answer. Source: docs/spec/clients.md [CLI-31].

/** @returns what is wrong, a sentence each; empty when the answer would be decoded */
export function strictComplaints(text) {
  let answer
  try {
    answer = JSON.parse(text)
  } catch {
    return ['the answer is not JSON']
  }
  if (!isObject(answer)) return ['the answer is not an object']
  return [
    ...need(answer, 'uuid', 'string', ''),
    ...need(answer, 'tid', 'string', ''),
    ...need(answer, 'dcs_region', 'integer', ''),
    ...listOf(answer.stuff, 'stuff', stuffComplaints),
    ...listOf(answer.dests, 'dests', destinationComplaints),
  ]
}

function stuffComplaints(item, at) {
  return [
    ...need(item, 'cn', 'string', at),
    ...need(item, 'cv', 'string', at),
    ...need(item, 'ttl', 'integer', at),
    ...need(item, 'dmn', 'string', at),
  ]
}

/** Decoded as a map of text to text: every value must be a string, `hr` with its boolean must be left out. */
function destinationComplaints(item, at) {
  return Object.entries(item)
    .filter(([, value]) => typeof value !== 'string')
    .map(([key, value]) => `${at}${key} is ${JSON.stringify(value)}, not a string`)
}

function listOf(value, name, complaintsOf) {
  if (value === undefined) return []
  if (!Array.isArray(value)) return [`${name} is not an array`]
  return value.flatMap((item, index) =>
    isObject(item) ? complaintsOf(item, `${name}[${index}].`) : [`${name}[${index}] is not an object`],
  )
}

function need(object, key, type, at) {
  const value = object[key]
  const fits = type === 'integer' ? Number.isInteger(value) : typeof value === type
  return fits ? [] : [`${at}${key} is ${JSON.stringify(value)}, not ${type === 'integer' ? 'an integer' : `a ${type}`}`]
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
