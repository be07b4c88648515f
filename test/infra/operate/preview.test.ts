import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCommand } from '../../standin/command.ts'
import { newProject } from '../../support/cloud/project.ts'
import { run, withAccount, withCli } from '../fake-cli.ts'

/** Saves the values of `--config` in the stack file or in another one that is named, as the CLI does. */
const SAVING_CLI = `
  file=Pulumi.dev.yaml
  while [ $# -gt 0 ]; do
    case "$1" in
      --config-file) file=$2; shift ;;
      --config) echo "saved: $2" >> "$file"; shift ;;
    esac
    shift
  done
  cat "$file"`

test('changes no file when it previews other settings against the account', async () => {
  const { root } = newProject()
  const file = join(root, 'Pulumi.dev.yaml')
  const before = readFileSync(file, 'utf8')
  const env = { ...withCli({ 'preview --diff': SAVING_CLI }), ...withAccount('http://127.0.0.1:1') }
  const { code, lines } = await run(root, ['operate/preview', '--config', 'logSampling=0.5'], env)
  expect({ code, lines }).toEqual({ code: 0, lines: `${before}saved: logSampling=0.5`.split('\n') })
  expect(readFileSync(file, 'utf8')).toBe(before)
})

test('estimates without an account, shows what would change, and names a broken policy', async () => {
  const { root } = newProject()
  const env = { CLOUDFLARE_API_TOKEN: '' }
  const preview = (...args: string[]) =>
    runCommand(process.execPath, ['infra/operate/preview.ts', ...args], { cwd: root, env })
  const good = await preview()
  expect(good.code, good.printed).toBe(0)
  expect(good.printed).toMatch(
    /^Previewing the stack "dev" on this machine: an estimate, no account is asked\n/,
  )
  expect(good.printed).toMatch(/\nResources: 11 to create\n$/)
  const bad = await preview(
    '--stack',
    'prod',
    '--config',
    'hostname=a.example.com',
    '--config',
    'logSampling=0',
  )
  expect(bad.code).toBe(1)
  expect(bad.printed).toContain('Broken: production-logs: Production would lose log lines ')
})
