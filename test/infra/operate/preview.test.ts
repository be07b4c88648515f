import { expect, test } from 'vitest'
import { runCommand } from '../../standin/command.ts'
import { newProject } from '../../support/cloud/project.ts'

test('estimates without an account, shows what would change, and names a broken policy', async () => {
  const { root } = newProject()
  const env = { CLOUDFLARE_API_TOKEN: '' }
  const preview = (...args: string[]) =>
    runCommand(process.execPath, ['infra/operate/preview.ts', ...args], { cwd: root, env })
  const good = await preview()
  expect(good.code, good.printed).toBe(0)
  expect(good.printed).toContain(
    'Previewing the stack "dev" on this machine: an estimate, no account is asked\n',
  )
  expect(good.printed).toMatch(/^The stack dev would be made: 11 resources to create\.\n/)
  expect(good.printed).toMatch(/\n {2}policies {2}\d+ passed: cors-names-origins, /)
  const bad = await preview(
    '--stack',
    'prod',
    '--config',
    'hostname=a.example.com',
    '--config',
    'logSampling=0',
  )
  expect(bad.code).toBe(1)
  expect(bad.printed).toContain('  policies  BROKEN: production-logs: Production would lose log lines ')
})
