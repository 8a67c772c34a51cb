import type { CallError } from '../model/collected-call.ts'

/**
 * Errors and warnings of a collection answer; `*` stands for a subject. Source: spec/collection.md section 7. Codes
 * that AAM does not have are not used, ours begin at 900 [COL-119].
 */
const messages: ReadonlyMap<number, string> = new Map([
  [0, 'Unspecified error'],
  [1, 'Could not find config for hostname: *'],
  [2, 'Invalid d_orgid value (could not find a config for this org id): *'],
  [10, 'Unable to evaluate traits'],
  [100, 'Could not retrieve host name for the request'],
  [101, 'Invalid Experience Cloud id passed in *'],
  [102, 'Invalid AAM ID passed in request *'],
  [104, 'All customer IDs are invalid'],
  [109, 'Referer * is not allowed for partner *'],
  [111, 'Invalid IMS token received'],
  [171, 'Encountered opt out tag for id *'],
  [172, 'Blocked cookies'],
  [173, 'Encountered trust relationship via NAI'],
  [198, 'Requests from this country are blocked by partner'],
  [199, 'Requests from this country are not allowed'],
  [200, 'Cannot read traits from profile cache for id: *'],
  [201, 'Cannot read device ids from profile cache for customer id: *'],
  [202, 'Cannot read related customer for device id: *'],
  [203, 'Cannot read device cluster for id: *'],
  [204, 'Could not perform migration since profile read failed for primary device'],
  [205, 'Could not perform migration from * to *, because profile read failed for *'],
  [300, 'Invalid customer id *'],
  [301, 'Maximum number of customer ids exceeded. Maximum allowed is *. Found is *.'],
  [302, 'Unauthorized customer id *'],
  [303, 'Blocked customer id *'],
  [304, 'Blocked datasource id *'],
  [306, 'Blocked declared device id *'],
  [307, 'Blocked profile operation for *'],
  [309, 'Customer id * was discarded because it exceeded the limit of declared customer ids per request'],
  [
    310,
    'Customer id was discarded because it exceeded the limit for a given namespace. Namespace id is *, customer id is *.',
  ],
  [311, 'Request contains invalid parameters'],
  [312, 'Request contains an invalid Global Device ID'],
  [313, 'CMP ID is not present in GCL'],
  [314, 'CMP ID is marked as deleted in GCL'],
  [315, 'Consent string indicates no consent'],
  [900, 'Request is too large'],
  [901, 'Request body cannot be read: *'],
])

/** Longest part of user text that a message repeats. */
const SUBJECT_CHARACTERS_MAX = 128

/**
 * An error with the message of section 7.
 * @param subjects user text for each `*`; cut, and freed of control characters
 * @throws RangeError for a code that does not exist: a mistake of ours
 */
export function callError(code: number, ...subjects: readonly (string | number)[]): CallError {
  const template = messages.get(code)
  if (template === undefined) throw new RangeError(`no collection error has the code ${code}`)
  if (subjects.length === 0) return { code, msg: template }
  let next = 0
  return { code, msg: template.replace(/\*/g, () => printable(String(subjects[next++] ?? ''))) }
}

function printable(text: string): string {
  let clean = ''
  const end = Math.min(text.length, SUBJECT_CHARACTERS_MAX)
  for (let i = 0; i < end; i++) {
    const unit = text.charCodeAt(i)
    clean += unit < 0x20 || unit === 0x7f ? ' ' : text.charAt(i)
  }
  return clean
}
