import { execFileSync } from 'node:child_process'
import { expect } from 'vitest'
import { newStack, pulumiTest, type Stack } from './stack.ts'

/** Three deployments, two rollbacks and their checks. */
const LONG_MS = 400_000

const UPLOAD = 'PUT /workers/scripts/chronicle-sync-dev'

function git({ project }: Stack, ...args: string[]): string {
  const identity = ['-c', 'user.name=tester', '-c', 'user.email=tester@example.com']
  return execFileSync('git', [...identity, ...args], { cwd: project.root, encoding: 'utf8' }).trim()
}

function commit(stack: Stack, message: string): void {
  git(stack, 'add', '--all')
  git(stack, 'commit', '--quiet', '--message', message)
}

async function deploy(stack: Stack): Promise<readonly string[]> {
  const { code, printed } = await stack.tool('operate/deploy', '--yes', '--skip-preview', '--non-interactive')
  expect(code, printed).toBe(0)
  return stack.writes()
}

function versionOf({ standIn }: Stack): unknown {
  return standIn.account.scripts[0]?.bindings.find(({ name }) => name === 'VERSION')?.text
}

pulumiTest(
  'checks, previews, deploys and rolls back a stack',
  async () => {
    const stack = await newStack()
    git(stack, 'init', '--quiet', '--initial-branch=main')
    commit(stack, 'version 1')
    const healthy = await stack.tool('doctor/doctor')
    expect(healthy.code, healthy.printed).toBe(0)
    expect(healthy.printed).toContain('The stack dev can be deployed.')
    const preview = await stack.tool('operate/preview')
    expect(preview.code, preview.printed).toBe(0)
    expect(preview.printed).not.toContain('an estimate')
    const other = await stack.tool('operate/preview', '--config', 'logSampling=0.5')
    expect(other.code, other.printed).toBe(0)
    expect(other.printed).toContain('0.5')
    expect(git(stack, 'status', '--porcelain')).toBe('')
    expect(await deploy(stack)).toContain(UPLOAD)
    const first = versionOf(stack)

    stack.project.edit('worker/src/index.ts', (text) => `${text}\nconsole.debug('changed')\n`)
    commit(stack, 'version 2')
    expect(await deploy(stack)).toEqual([UPLOAD])
    expect(versionOf(stack)).not.toBe(first)

    const back = await stack.tool('operate/rollback', '--yes', '--skip-preview', '--non-interactive')
    expect(back.code, back.printed).toBe(0)
    expect(back.printed).toMatch(/The stack "dev" goes back from [0-9a-f]{12} to [0-9a-f]+ version 1/)
    expect(stack.writes()).toEqual([UPLOAD])
    expect(versionOf(stack)).toBe(first)

    stack.project.edit('worker/src/index.ts', (text) => `${text}\nconsole.debug('next')\n`)
    commit(stack, 'version 3')
    await deploy(stack)
    const again = await stack.tool('operate/rollback', '--yes', '--skip-preview', '--non-interactive')
    expect(again.printed).toMatch(/The stack "dev" goes back from [0-9a-f]{12} to [0-9a-f]+ version 1\n/)
    expect(again.code, again.printed).toBe(0)
    expect(versionOf(stack)).toBe(first)
    expect(git(stack, 'status', '--porcelain')).toBe('')

    const { printed: stacks } = await stack.tool('operate/stacks')
    expect(stacks).toMatch(/\ndev +0\.1\.0\+\S+ +[0-9a-f]{12} version 1 .* 2 +https:\/\/chronicle-sync-dev\./)

    const further = await stack.tool('operate/rollback', '--yes')
    expect(further.code).toBe(1)
    expect(further.printed).toMatch(
      /Error: no earlier commit than [0-9a-f]{12} was deployed to this stack from a clean tree\. Check out /,
    )
  },
  LONG_MS,
)
