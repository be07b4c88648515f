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
