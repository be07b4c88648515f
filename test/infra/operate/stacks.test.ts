import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { newProject } from '../../support/cloud/project.ts'
import { run, withCli } from '../fake-cli.ts'

function git(root: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=tester', '-c', 'user.email=tester@example.com']
  return execFileSync('git', [...identity, ...args], { cwd: root, encoding: 'utf8' }).trim()
}

function commit(root: string, message: string): string {
  git(root, 'commit', '--quiet', '--allow-empty', '--message', message)
  return git(root, 'rev-parse', 'HEAD')
}

function say(value: unknown): string {
  return `echo '${JSON.stringify(value)}'`
}

test('lists which commit and version runs in each stack, and how far behind it is', async () => {
  const { root } = newProject()
  git(root, 'init', '--quiet', '--initial-branch=main')
  const first = commit(root, 'first')
  const second = commit(root, 'second')
  commit(root, 'third')
  const update = (head: string, more = {}) => ({
    kind: 'update',
    result: 'succeeded',
    startTime: '2026-11-28T19:40:11.000Z',
    environment: { 'git.head': head },
    ...more,
  })
  const failed = { result: 'failed', startTime: '2026-11-28T20:00:00.000Z' }
  const stacks = ['dev', 'prod', 'pr-7', 'pr-8']
  const env = withCli({
    'stack ls --json': say(stacks.map((name) => ({ name }))),
    'stack output --stack dev': say({ url: 'https://dev.example.com', version: '0.1.0+aaa' }),
    'stack output --stack prod': say({ url: 'https://sync.example.com', version: '0.1.0+bbb' }),
    'stack output --stack pr-': say({}),
    'stack history --stack dev': say([update(second, failed), update(second)]),
    'stack history --stack prod': say([{ kind: 'refresh', result: 'succeeded' }, update(first)]),
    'stack history --stack pr-7': say([update('f'.repeat(40))]),
    'stack history --stack pr-8': say([update(first, { kind: 'destroy' }), update(first)]),
  })
  const { code, lines } = await run(root, ['operate/stacks'], env)
  expect(code, lines.join('\n')).toBe(0)
  expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
    ['stack', 'version', 'commit', 'deployed', 'behind', 'url'],
    [
      'dev',
      '0.1.0+aaa',
      `${second.slice(0, 12)} second`,
      '2026-11-28 19:40, then update failed at 2026-11-28 20:00',
      '1',
      'https://dev.example.com',
    ],
    ['prod', '0.1.0+bbb', `${first.slice(0, 12)} first`, '2026-11-28 19:40', '2', 'https://sync.example.com'],
    ['pr-7', 'f'.repeat(12), '2026-11-28 19:40', 'not in this clone'],
    ['pr-8', 'nothing deployed'],
  ])
})

test('says in one line why the back-end cannot be read', async () => {
  const { root } = newProject()
  const env = withCli({ 'stack ls': 'echo "error: no credentials" >&2; exit 255' })
  expect(await run(root, ['operate/stacks'], env)).toMatchObject({
    code: 1,
    lines: ['Error: pulumi stack ls failed: error: no credentials'],
  })
})

test('lists the stacks of this machine without a CLI', async () => {
  const { root } = newProject()
  mkdirSync(join(root, '.local/dev'), { recursive: true })
  writeFileSync(
    join(root, '.local/dev/state.json'),
    JSON.stringify({ resources: [], outputs: { version: '0.1.0+ccc' } }),
  )
  const { lines } = await run(root, ['operate/stacks'], withCli(undefined))
  expect(lines[0]).toMatch(/^There is no Pulumi CLI, so only /)
  expect(lines.at(-1)).toMatch(/^dev +0\.1\.0\+ccc +stopped$/)
})
