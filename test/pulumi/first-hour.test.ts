import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, inject } from 'vitest'
import { pulumiHome } from '../../infra/cli/back-end.ts'
import { answersTo, readmeCommands } from '../standin/first-hour.ts'
import { newStandIn, type StandIn, writesOf } from '../standin/stand-in.ts'
import { type Exchange, PROMPT, typeInTerminal } from '../standin/terminal.ts'
import { newProject } from '../support/cloud/project.ts'
import { CLI_PATH } from './cli.ts'
import { pulumiTest } from './stack.ts'

const { version } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../node_modules/pulumi/package.json'), 'utf8'),
)

/** Returns the environment of a machine with nothing but the CLI and its plugins, as if they had been fetched before. */
function newMachine(home: string, standIn: StandIn): Readonly<Record<string, string>> {
  const cli = inject('cli')
  const folder = join(home, '.pulumi/versions', version, 'bin')
  mkdirSync(folder, { recursive: true })
  const from = dirname('path' in cli ? cli.path : '')
  for (const file of readdirSync(from)) symlinkSync(join(from, file), join(folder, file))
  symlinkSync(join(pulumiHome(process.env), 'plugins'), join(home, '.pulumi/plugins'))
  mkdirSync(join(home, 'bin'))
  writeFileSync(join(home, 'bin/curl'), '#!/bin/sh\necho "asked $1"\n', { mode: 0o755 })
  return {
    HOME: home,
    PULUMI_HOME: join(home, '.pulumi'),
    // The CLI finds the home of the user without HOME, so that a log-in to this machine would reach the real one.
    PULUMI_BACKEND_URL: `file://${home}`,
    PATH: [join(home, 'bin'), CLI_PATH].join(':'),
    DOCTOR_SECONDS: '60',
    PULUMI_SKIP_UPDATE_CHECK: 'true',
    CLOUDFLARE_BASE_URL: standIn.url,
  }
}

pulumiTest('deploys with the five commands of README, typed as written', async () => {
  const standIn = await newStandIn()
  standIn.forgetOwnName()
  const project = newProject()
  const home = join(project.root, '.local/home')
  mkdirSync(home, { recursive: true })
  const env = newMachine(home, standIn)
  const exchanges = readmeCommands().flatMap((command): Exchange[] => [
    [PROMPT, command],
    ...answersTo(command, standIn.token).filter(([question]) => !question.source.startsWith('1, 2 or 3')),
  ])
  const shown = await typeInTerminal({ cwd: project.root, env }, exchanges)
  expect(writesOf(standIn)).toContain('PUT /workers/scripts/chronicle-sync-dev')
  expect(shown).toContain('asked https://chronicle-sync-dev.acme.workers.dev/api/health\n')
  expect(readFileSync(join(project.root, 'Pulumi.dev.yaml'), 'utf8')).toContain('encryptionsalt: v1:')
})
