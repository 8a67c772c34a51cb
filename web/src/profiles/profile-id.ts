/** What the API takes as a profile's id. @returns undefined when the text can be none */
export function readProfileId(text: string): string | undefined {
  const digits = text.replace(/[\s…]/g, '').replace(/^d:/, '')
  if (/^\d{38}$/.test(digits)) return digits
  return /^\d{1,10}:.+$/.test(text.trim()) ? text.trim() : undefined
}
