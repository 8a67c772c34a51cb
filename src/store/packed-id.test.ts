import { expect, test } from 'vitest'
import fc from '../testkit/properties.ts'
import { IdForm, packId, unpackId } from './packed-id.ts'

const hex = (upper: boolean): fc.Arbitrary<string> =>
  fc.uint8Array({ maxLength: 20 }).map((bytes) => {
    const text = Buffer.from(bytes).toString('hex')
    return upper ? text.toUpperCase() : text
  })
const ids = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 40 }),
  fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF-'), minLength: 30, maxLength: 40 }),
  hex(true),
  hex(false),
  fc.uuid(),
  fc.uuid().map((uuid) => uuid.toUpperCase()),
)

test('any id comes back as it was', () => {
  fc.assert(
    fc.property(ids, (id) => {
      const { form, bytes } = packId(id)
      expect(unpackId(form, bytes)).toBe(id)
    }),
    { numRuns: 2_000 },
  )
})

test.each([
  ['0012345', IdForm.digits, 4],
  ['123456', IdForm.digits, 3],
  ['00ff', IdForm.lowerHex, 2],
  ['00FF', IdForm.upperHex, 2],
  ['00fF', IdForm.text, 4],
  ['00f', IdForm.text, 3],
  ['3f2504e0-4f89-11d3-9a0c-0305e82c3301', IdForm.lowerUuid, 16],
  ['3F2504E0-4F89-11D3-9A0C-0305E82C3301', IdForm.upperUuid, 16],
  ['30250400-4089-1103-9000-030508203301', IdForm.lowerUuid, 16],
  ['3f2504e0-4f89-11d3-9a0c-0305E82C3301', IdForm.text, 36],
  ['123456789012345678901234567890123456', IdForm.text, 36],
  ['jörg', IdForm.text, 5],
])('%s is stored as form %i in %i bytes', (id, form, length) => {
  const packed = packId(id)
  expect([packed.form, packed.bytes.length]).toEqual([form, length])
})
