import { appendFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { loadConfig } from '../config.ts'
import { headerNameIssue } from '../lib/header-rules.ts'
import { secretIssue } from '../lib/texts.ts'
import { describeRecord, describeToken } from '../partner/describe-record.ts'
import { type PartnerRecord, startPartner } from '../partner/partner.ts'
import { addPartnerPage } from '../partner/partner-page.ts'
import type { SignatureAlgorithm } from '../partner/verify-signature.ts'
import { UsageError } from './failure.ts'
import { stopOnSignals } from './stop-on-signals.ts'

export interface PartnerCommand {
  readonly port?: number
  readonly host: string
  readonly key?: readonly string[]
  readonly header: string
  readonly algorithm: SignatureAlgorithm
  readonly answer?: readonly number[]
  readonly delay: number
  readonly failRate: number
  readonly resetRate: number
  readonly oauth?: string
  readonly journal?: string
  readonly json?: boolean
}

/** [OUT-74] */
const KEY_LENGTH_MIN = 16

/** Runs until a signal, then prints how many messages came and what the partner knows. */
export async function partner(command: PartnerCommand): Promise<void> {
  const { answer, delay, failRate, resetRate, key, header, algorithm } = command
  const print =
    command.json === true
      ? (record: PartnerRecord) => JSON.stringify(record)
      : (record: PartnerRecord) => describeRecord(record)
  if (command.journal !== undefined) checkJournal(command.journal)
  checkOptions(command)
  const running = await startPartner({
    port: command.port ?? loadConfig().partner.port,
    host: command.host,
    signing: key === undefined ? undefined : { keys: key, header, algorithm },
    oauth: readOauth(command.oauth),
    behaviour: { ...(answer === undefined ? {} : { answer }), delayMs: delay, failRate, resetRate },
    journalPath: command.journal,
    nowMs: Date.now,
    onMessage: (record) => process.stdout.write(`${print(record)}\n`),
    onToken: (record) =>
      process.stdout.write(`${command.json === true ? JSON.stringify({ token: record }) : describeToken(record)}\n`),
  })
  addPartnerPage(running, { host: command.host })
  if (command.json === true) process.stdout.write(`${JSON.stringify({ msg: 'ready', url: running.url })}\n`)
  else
    process.stdout.write(`Waiting for messages on ${running.url}, which is also a page to watch them  (Ctrl+C stops)\n`)
  stopOnSignals(async () => {
    await running.close()
    const members = running.state.entries().filter((entry) => entry.isMember).length
    if (command.json !== true)
      process.stdout.write(`Messages: ${running.records.length}. Memberships known: ${members}.\n`)
  })
}

/** What would be taken and then wait for ever for a message that fits. */
function checkOptions({ key, header, host, oauth }: PartnerCommand): void {
  if (key?.includes('')) throw new UsageError('--key is empty; leave it out, and signatures are not checked')
  checkSecrets({ key, oauth: oauth?.split(':') })
  if (key?.some((one) => one.length < KEY_LENGTH_MIN))
    throw new UsageError(`--key has at least ${KEY_LENGTH_MIN} characters: no destination signs with a shorter one`)
  const headerIssue = headerNameIssue(header)
  if (headerIssue !== undefined) throw new UsageError(`--header: ${headerIssue}`)
  if (isIP(host) === 0 && domainToASCII(host) === '')
    throw new UsageError('--host wants an address or a name of this machine, such as 127.0.0.1')
}

/** A key with a line end is another key than the sender's. */
function checkSecrets(given: Readonly<Record<string, readonly string[] | undefined>>): void {
  for (const [option, secrets] of Object.entries(given)) {
    const issue = secrets?.map(secretIssue).find((one) => one !== undefined)
    if (issue !== undefined) throw new UsageError(`--${option} ${issue}`)
  }
}

/** Else each message would be refused, and nobody told why. */
function checkJournal(path: string): void {
  try {
    appendFileSync(path, '')
  } catch (error) {
    throw new UsageError(`--journal cannot be written: ${(error as Error).message}`)
  }
}

function readOauth(text: string | undefined): { readonly clientId: string; readonly clientSecret: string } | undefined {
  if (text === undefined) return undefined
  const colon = text.indexOf(':')
  if (colon < 1 || colon === text.length - 1) throw new UsageError('--oauth wants id:secret, neither of them empty')
  return { clientId: text.slice(0, colon), clientSecret: text.slice(colon + 1) }
}
