import type { DeviceClaims } from './device-keys.ts'

/**
 * Reads a `User-Agent`, with client hints where a browser sends them. Tables in the order in which they are asked: browsers
 * name their ancestors too. Names of systems and kinds of hardware come from the published lists of values [COL-214],
 * [COL-215]. Every pattern is linear in the text, and the text is short.
 */
export interface OperatingSystem {
  readonly name: string | undefined
  /** With the separators of the text: `5_0` [COL-216]. */
  readonly version: string | undefined
}

const WINDOWS: ReadonlyMap<string, string> = new Map([
  ['10.0', 'Windows 10'],
  ['6.3', 'Windows 8.1'],
  ['6.2', 'Windows 8'],
  ['6.1', 'Windows 7'],
  ['6.0', 'Windows Vista'],
  ['5.2', 'Windows XP'],
  ['5.1', 'Windows XP'],
  ['5.0', 'Windows 2000'],
])

/** The first group is the version. */
const SYSTEMS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['Windows Phone', /Windows Phone(?: OS)? ?([0-9.]*)/],
  ['Windows Mobile', /Windows (?:Mobile|CE)(?: ([0-9.]+))?/],
  ['Windows', /Windows/],
  ['iOS', /(?:iPhone|iPad|iPod).* OS ([0-9_.]+)/],
  ['iOS', /iPhone|iPad|iPod/],
  ['Tizen', /Tizen(?:[ /]([0-9.]+))?/],
  ['Sailfish', /Sailfish(?:[ /]([0-9.]+))?/],
  ['RIM', /(?:BB10|PlayBook|BlackBerry).*Version\/([0-9.]+)/],
  ['RIM', /BB10|PlayBook|BlackBerry(?:[0-9]+\/([0-9.]+))?/],
  ['Symbian', /Symbian(?:OS)?(?:[ /]([0-9.]+))?|SymbOS|Series60/],
  ['Asha platform', /Nokia.*Asha/],
  ['Bada', /Bada(?:[ /]([0-9.]+))?/],
  ['MeeGo', /MeeGo/],
  ['Maemo', /Maemo/],
  ['Palm OS', /PalmOS|Palm OS/],
  ['Android', /Android(?:[ /-]([0-9][0-9.]*))?/],
  ['Chrome OS', /CrOS [^ )]+(?: ([0-9.]+))?/],
  ['Firefox OS', /\((?:Mobile|Tablet); (?:[^;)]+; )?rv:[0-9.]+\) Gecko/],
  ['OS X', /Mac OS X(?:[ /]([0-9_.]+))?/],
  ['Mac OS', /Macintosh|Mac_PowerPC/],
  ['Linux - Ubuntu', /Ubuntu(?:[ /]([0-9.]+))?/],
  ['Linux - Fedora', /Fedora(?:[ /]([0-9.]+))?/],
  ['Linux - CentOS', /CentOS(?:[ /]([0-9.]+))?/],
  ['Linux - Debian', /Debian(?:[ /]([0-9.]+))?/],
  ['Linux - Mint', /Linux Mint(?:[ /]([0-9.]+))?/],
  ['Linux - Red Hat', /Red Hat(?:[ /]([0-9.]+))?/],
  ['Linux - openSUSE', /SUSE(?:[ /]([0-9.]+))?/],
  ['Linux - Arch', /Arch Linux/],
  ['Linux - Slackware', /Slackware/],
  ['Linux', /Linux|X11/],
]

/** As `Sec-CH-UA-Platform` names them. */
const PLATFORMS: ReadonlyMap<string, string> = new Map([
  ['android', 'Android'],
  ['chrome os', 'Chrome OS'],
  ['chromium os', 'Chrome OS'],
  ['ios', 'iOS'],
  ['linux', 'Linux'],
  ['macos', 'OS X'],
  ['windows', 'Windows'],
])

/** What nobody knows is `Other`, as the list has it [COL-215]. */
export function osOf({ userAgent, platform, platformVersion }: DeviceClaims): OperatingSystem {
  const told = systemOfText(userAgent)
  const hinted = PLATFORMS.get(platform.toLowerCase())
  // A reduced text says `Android 10` and `Windows NT 10.0` of whatever comes after; the hint knows better.
  if (hinted === undefined || platformVersion === '')
    return told.name === undefined ? { ...told, name: hinted ?? 'Other' } : told
  const isWindows10 = hinted === 'Windows' && Number.parseInt(platformVersion, 10) < 13
  return { name: isWindows10 ? (told.name ?? hinted) : hinted, version: platformVersion }
}

function systemOfText(text: string): OperatingSystem {
  const windows = /Windows NT ([0-9.]+)(; ARM(?![0-9]))?/.exec(text)
  if (windows !== null && !text.includes('Windows Phone')) {
    const [, version, arm] = windows
    const name = arm !== undefined && version !== '10.0' ? 'Windows RT' : WINDOWS.get(version ?? '')
    return { name: name ?? 'Windows', version }
  }
  for (const [name, pattern] of SYSTEMS) {
    const found = pattern.exec(text)
    if (found !== null) return { name, version: found[1] }
  }
  return { name: undefined, version: undefined }
}

const HARDWARE: readonly (readonly [kind: string, pattern: RegExp])[] = [
  ['Games Console', /PlayStation|PLAYSTATION|Xbox|Nintendo/],
  ['Set Top Box', /Roku|Apple ?TV|AFT[A-Z]|CrKey|MiBOX|Set-?Top/i],
  ['TV', /Smart-?TV|SmartHub|HbbTV|NetCast|Web0S|BRAVIA|Android TV|GoogleTV|Tizen.* TV/i],
  ['eReader', /Kindle\/[0-9]|Kobo|NOOK/],
  ['Wristwatch', /Watch/],
  ['Media Player', /iPod/],
  ['Tablet', /iPad|Tablet|PlayBook|Kindle|Android(?!.*Mobile)|; KF[A-Z]{2,}/],
  ['Mobile Phone', /iPhone|Mobile|Windows Phone|BlackBerry|BB10|Symbian|SymbOS|Series60|Opera Mini|Nokia/],
  ['Desktop', /Windows NT|Macintosh|X11|Linux|CrOS/],
]

export function hardwareOf(
  { userAgent, platform, mobile }: DeviceClaims,
  model: string | undefined,
): string | undefined {
  if (/^(SM-T|SM-X|SM-P|GT-P|Lenovo TB|MediaPad)/.test(model ?? '')) return 'Tablet'
  const found = HARDWARE.find(([, pattern]) => pattern.test(userAgent))?.[0]
  if (found !== undefined) return found
  if (mobile === '?1') return 'Mobile Phone'
  return /^(windows|macos|linux|chrom(e|ium) os)$/i.test(platform) ? 'Desktop' : undefined
}

/** Of Android: the part behind the version that is neither a language nor a mark of the browser. */
const NOT_A_MODEL = /^([a-z]{2}([-_][A-Za-z]{2,4})?|U|K|wv|Mobile|Tablet|Android.*|Linux.*|arm.*|rv:.*|Generic.*)$/

export function modelOf({ userAgent, model }: DeviceClaims): string | undefined {
  if (model !== '') return model
  const apple = /iPhone|iPad|iPod|Macintosh/.exec(userAgent)?.[0]
  const console = /PlayStation [A-Z]?[a-z0-9]+|Xbox(?: One| Series X)?|Nintendo [A-Za-z0-9]+/.exec(userAgent)?.[0]
  if (apple !== undefined || console !== undefined) return apple ?? console
  const parts = userAgent
    .slice(userAgent.indexOf('(') + 1)
    .split(/[;)]/, 12)
    .map((part) => part.trim())
  const system = parts.findIndex((part) => /^(Android|Windows Phone)/.test(part))
  if (system < 0) return undefined
  const own = parts.slice(system + 1, system + 6).find((part) => !NOT_A_MODEL.test(part) && !MAKER_ONLY.test(part))
  const isInside = userAgent.indexOf(')') > userAgent.indexOf(own ?? ')')
  if (own === undefined || !isInside) return undefined
  return own.replace(/ Build\/.*$/, '').replace(/^(SAMSUNG|HUAWEI|Xiaomi|motorola) (?=.)/, '')
}

const MAKER_ONLY = /^(NOKIA|Microsoft|HTC|SAMSUNG)$/

/** Makers by the first letters of what they call their devices. */
const MAKERS: readonly (readonly [maker: string, model: RegExp])[] = [
  ['Apple', /^(iPhone|iPad|iPod|Macintosh)/],
  ['Samsung', /^(SM-|GT-|SCH-|SGH-|SHV-|Galaxy)/i],
  ['Google', /^(Pixel|Nexus)/],
  ['LG', /^(LG|LM-|VS[0-9]{3})/],
  ['Motorola', /^(moto|XT[0-9]{4})/i],
  ['Huawei', /^(HUAWEI|ANE-|ELE-|VOG-|MAR-|POT-|LYA-|EML-|CLT-|WAS-|PRA-|FIG-|YAL-|JNY-|HMA-|MediaPad)/i],
  ['Xiaomi', /^(Redmi|POCO|Mi |Xiaomi|M20[0-9]{2}|2[1-5][0-9]{5,}[A-Z])/i],
  ['OnePlus', /^ONEPLUS/i],
  ['Oppo', /^(OPPO|CPH[0-9]{4})/],
  ['Vivo', /^vivo/i],
  ['Realme', /^(RMX[0-9]{4}|realme)/],
  ['Nokia', /^(Nokia|Lumia|TA-[0-9]{4})/i],
  ['Sony', /^(Sony|SO-|SOV|XQ-|SGP|Xperia|PlayStation|[A-H][0-9]{4}$)/],
  ['HTC', /^HTC/],
  ['Asus', /^(ASUS|ZenFone)/i],
  ['Lenovo', /^Lenovo/i],
  ['Amazon', /^(KF[A-Z]{2}|AFT|Kindle)/],
  ['Sharp', /^SH-/],
  ['ZTE', /^ZTE/],
  ['Tecno', /^TECNO/i],
  ['Microsoft', /^Xbox/],
  ['Nintendo', /^Nintendo/],
]

export function makerOf({ userAgent }: DeviceClaims, model: string | undefined): string | undefined {
  const found = MAKERS.find(([, pattern]) => model !== undefined && pattern.test(model))?.[0]
  if (found !== undefined) return found
  if (/BlackBerry|BB10|PlayBook/.test(userAgent)) return 'BlackBerry'
  return /; SAMSUNG|SamsungBrowser/.test(userAgent) ? 'Samsung' : undefined
}
