import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { answersTo, readmeCommands } from '../../standin/first-hour.ts'
import { type Exchange, PROMPT, typeInTerminal } from '../../standin/terminal.ts'
import { newProject } from '../../support/cloud/project.ts'
import { ACCOUNT, GOOD_ANSWERS, serveApi, TOKEN } from '../fake-api.ts'
import { CHECKOUT, type Cli, LAUNCHER, NEW_CLI, tempFolder, unrehearsed, withCli } from '../fake-cli.ts'

/** The CLI on a new machine. */
const FIRST_CLI: Cli = {
  ...NEW_CLI,
  'stack output': 'echo https://chronicle-sync-dev.acme.workers.dev',
  'up --stack': 'echo "deployed to $CLOUDFLARE_ACCOUNT_ID"',
}

/** Returns the environment of a person with a home, and nothing in it but a fetched CLI. */
async function newMachine(): Promise<Readonly<Record<string, string>>> {
  const home = tempFolder()
  const { HOME: made = '' } = withCli(FIRST_CLI)
  const cli = join(home, `.pulumi/versions/${LAUNCHER}/bin/pulumi`)
  mkdirSync(dirname(cli), { recursive: true })
  writeFileSync(cli, readFileSync(join(made, 'pulumi')), { mode: 0o755 })
  writeFileSync(join(home, 'curl'), '#!/bin/sh\necho "asked $1"\n')
  chmodSync(join(home, 'curl'), 0o755)
  const noName = { status: 404, code: 10007, message: 'This account has no subdomain' }
  const subdomain = `accounts/${ACCOUNT}/workers/subdomain`
  const answers = { ...GOOD_ANSWERS, [subdomain]: noName, [`PUT ${subdomain}`]: { subdomain: 'acme' } }
  const path = [home, process.env.PATH].join(':')
  return {
    HOME: home,
    PULUMI_HOME: join(home, '.pulumi'),
    PATH: path,
    DOCTOR_SECONDS: '60',
    CLOUDFLARE_BASE_URL: await serveApi(answers),
  }
}

test.skipIf(process.platform !== 'linux')(
  'deploys with the five commands of README, typed as written',
  async () => {
    const commands = readmeCommands()
    expect(commands).toHaveLength(5)
    // The shell of a Mac takes a comment at its prompt for arguments.
    for (const command of commands) expect(command).not.toContain('#')
    const env = await newMachine()
    const exchanges = commands.flatMap((command): Exchange[] => [
      [PROMPT, command],
      ...answersTo(command, TOKEN),
    ])
    const shown = await typeInTerminal({ cwd: newProject().root, env }, exchanges)
    expect(shown).toMatch(
      /Create one at https:\/\/dash\.cloudflare\.com\/profile\/api-tokens\?\S+ and export it/,
    )
    expect(shown).not.toContain(TOKEN)
    expect(shown).toContain(`deployed to ${ACCOUNT}\n`)
    expect(shown).toContain('asked https://chronicle-sync-dev.acme.workers.dev/api/health\n')
    expect(statSync(join(env.HOME ?? '', '.pulumi/chronicle-sync.passphrase')).mode & 0o777).toBe(0o600)
  },
)

test.skipIf(process.platform !== 'linux')('ends a deployment whose question is not answered', async () => {
  const env = { ...(await newMachine()), CLOUDFLARE_API_TOKEN: TOKEN }
  const exchanges: Exchange[] = [
    [PROMPT, 'npm run --silent deploy'],
    [/workers\.dev\?.*: $/, '\u0004'],
    [PROMPT, 'echo "code $?"'],
  ]
  const shown = await typeInTerminal({ cwd: unrehearsed(), env }, exchanges)
  expect(shown).toContain('Error: the question was not answered\n')
  expect(shown).toContain('\ncode 1\n')
})

test('operations.md has the commands of README in the same order', () => {
  const operations = readFileSync(join(CHECKOUT, 'docs/operations.md'), 'utf8')
  const places = readmeCommands().map((command) => operations.indexOf(`   ${command}\n`))
  expect(places).not.toContain(-1)
  expect(places).toEqual(places.toSorted((a, b) => a - b))
})
