import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { readVersion } from '../lib/version.ts'
import { explainFailure } from './failure.ts'

/**
 * The command line. Exit status: 0 done, 1 failed, 2 wrong usage [OPS-14]. Each command is loaded when it is called, so
 * that a client command does not wait for the server's code.
 */
export function buildProgram(): Command {
  const program = new Command('usher')
  program.description('The open, self-hosted audience platform: events in, signed audience memberships out.')
  program
    .version(readVersion(), '-V, --version')
    .showHelpAfterError('(usher --help shows what there is)')
    .exitOverride()

  withConfig(program.command('serve'))
    .description('Run the server: collection edge, REST API, delivery')
    .option('--roles <list>', 'what this process does: edge, admin, delivery, batch (default: all)')
    .addHelpText(
      'after',
      '\nThe first start prints a one-time link into the web UI. Get a new one at any time with: bin/usher link',
    )
    .action(async (options) => (await import('./serve.ts')).serve(options))

  withConfig(program.command('demo'))
    .description('Run the server with a shop, generated visitors, and a partner that reads its messages aloud')
    .option('--rate <calls>', 'calls of generated visitors a second; 0 switches them off', readNumber(0, 1_000), 5)
    .option('--no-visitors', 'start without generated visitors; a button in the shop lets them in')
    .action(async (options) => (await import('./demo.ts')).demo(options))

  program
    .command('partner')
    .description('Run the receiving side: verifies, records and shows what it is sent')
    .option('--port <port>', 'port to listen on (default: the configured one, 8082)', readWhole(0, 65_535))
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--key <key...>', 'signing key; repeat it during a rotation. None: signatures are not checked')
    .option('--header <name>', 'header of the signature', 'X-Signature')
    .option('--algorithm <name>', 'md5, sha1 or sha256', readChoice(['md5', 'sha1', 'sha256']), 'sha256')
    .option('--answer <status...>', 'answer with these statuses in turn, the last one for ever', readStatus)
    .option('--delay <ms>', 'milliseconds before each answer', readNumber(0, 600_000), 0)
    .option('--fail-rate <share>', 'share of messages answered 503, 0 to 1', readNumber(0, 1), 0)
    .option('--reset-rate <share>', 'share of connections that are reset, 0 to 1', readNumber(0, 1), 0)
    .option(
      '--oauth <id:secret>',
      'ask for OAuth 2.0 client credentials, tokens at /oauth2/token; beside --key either is enough',
    )
    .option('--journal <file>', 'append every request to this file, one JSON object a line')
    .option('--json', 'print every request as one JSON object a line')
    .action(async (options) => (await import('./partner.ts')).partner(options))

  asClient(program.command('profile'))
    .argument('<id>', 'device ID (38 digits) or dataSource:partnerId')
    .description('Show what is known of a profile, and why it is in its segments')
    .action(async (id, options) => (await import('./profile.ts')).profile(id, options))

  asClient(program.command('link'))
    .description('Print a one-time link that signs you in to the web UI of the running server')
    .action(async (options) => (await import('./link.ts')).link(options))

  asClient(program.command('verify'))
    .description('Check every stored file, record and reference')
    .option('--repair', 'with the server stopped: set aside what is damaged, go on with what is readable')
    .action(async (options) => (await import('./verify.ts')).verify(options))

  asClient(program.command('backup'))
    .argument('<file>', 'where to write it')
    .description('Write an encrypted backup of everything, while the server runs or without one')
    .option('--force', 'replace the file where there is one')
    .action(async (file, options) => (await import('./backup.ts')).backup(file, options))

  withConfig(program.command('restore'))
    .argument('<file>', 'the backup')
    .description('Restore a backup into an empty data directory, with the opt-outs made since')
    .option('--master-key-file <file>', 'the master key, where USHER_MASTER_KEY does not hold it')
    .option(
      '--opt-outs <file>',
      'the list of opt-outs kept outside the backup (default: where optOuts.listFile puts it)',
    )
    .option('--without-opt-outs', 'the list is lost: those who opted out after the backup are followed again')
    .option('--json', 'print data as JSON')
    .action(async (file, options) => (await import('./restore.ts')).restore(file, options))

  asClient(program.command('clock'))
    .description("Show how far the machine's clock is relied on, after it leapt")
    .option('--confirm', 'say that it is right now')
    .action(async (options) => (await import('./clock.ts')).clock(options))

  program
    .command('version')
    .description('Print the version')
    .option('--json', 'as JSON, with the versions of Node and the platform')
    .action(async (options) => (await import('./version.ts')).version(options))
  return program
}

/** @returns the exit status */
export async function run(argv: readonly string[]): Promise<number> {
  try {
    await buildProgram().parseAsync([...argv], { from: 'user' })
    return 0
  } catch (error) {
    // Commander has already printed what is wrong, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    const { text, status } = explainFailure(error)
    process.stderr.write(`${text}\n`)
    return status
  }
}

function withConfig(command: Command): Command {
  return command
    .option('--config <file>', 'configuration file (default: USHER_CONFIG)')
    .option('--data-dir <dir>', 'folder of the stores and keys (default: ./data)')
}

function asClient(command: Command): Command {
  return withConfig(command)
    .option('--url <url>', 'admin address of the running server (default: where it says it is, in the data directory)')
    .option('--token <token>', 'bearer token (default: USHER_ADMIN_TOKEN, else the token file in the data directory)')
    .option('--json', 'print data as JSON')
}

function readNumber(min: number, max: number) {
  return (text: string): number => {
    const value = /^[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new InvalidArgumentError(`It is not a number from ${min} to ${max}.`)
  }
}

function readWhole(min: number, max: number) {
  return (text: string): number => {
    const value = readNumber(min, max)(text)
    if (Number.isInteger(value)) return value
    throw new InvalidArgumentError(`It is not a whole number from ${min} to ${max}.`)
  }
}

function readChoice(choices: readonly string[]) {
  return (text: string): string => {
    if (choices.includes(text)) return text
    throw new InvalidArgumentError(`It is not one of ${choices.join(', ')}.`)
  }
}

function readStatus(text: string, previous: readonly number[] = []): number[] {
  return [...previous, readWhole(200, 599)(text)]
}
