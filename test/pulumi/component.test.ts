import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { installExample } from '../support/cloud/example.ts'
import { newStack, pulumiTest } from './stack.ts'

pulumiTest(
  "deploys from a stranger's program, changes nothing the second time, and is destroyed",
  async () => {
    const stack = await newStack('dev', (root) => {
      for (const name of ['infra', 'worker', 'node_modules', 'package.json']) {
        rmSync(join(root, name), { recursive: true })
      }
      installExample(root)
    })
    await stack.set('protect', 'false')
    const first = await stack.up()
    expect(first.code, first.printed).toBe(0)
    expect(first.printed).toMatch(/url +: "https:\/\/sync\.example\.com"/)
    expect(stack.standIn.account.scripts).toMatchObject([{ name: 'sync-dev', migrationTag: 'v1' }])
    const second = await stack.up('--expect-no-changes')
    expect(second.code, second.printed).toBe(0)
    expect(stack.writes()).toEqual([])
    const settled = await stack.preview('--refresh', '--expect-no-changes')
    expect(settled.code, settled.printed).toBe(0)
    const destroy = await stack.destroy()
    expect(destroy.code, destroy.printed).toBe(0)
    expect(stack.standIn.account).toMatchObject({ namespaces: [], scripts: [], domains: [] })
  },
)
