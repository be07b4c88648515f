import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

const SCRIPT = join(import.meta.dirname, '../../../infra/operate/deliver.sh')

/** A CLI whose history gets a successful update of the commit HEAD with each `up`, unless `up` is refused. */
const PULUMI = `case "$*" in
  stack\\ history*) cat history.json ;;
  stack\\ output*) echo '{"url":"https://sync.example.com","version":"v","adminToken":"t"}' ;;
  up*) [ -z "$REFUSED" ] || exit 1
    echo "[{\\"result\\":\\"succeeded\\",\\"version\\":$RANDOM,\\"environment\\":{\\"git.head\\":\\"$(git rev-parse HEAD)\\"}}]" > history.json ;;
esac`

/** npm whose smoke test always fails. */
const NPM = `case "$*" in *smoke*) echo 'WRONG  a reason'; exit 1 ;; *rollback*) echo 'ROLLED BACK' ;; esac`

/** Makes a checkout with the script of deliveries and these tools. Returns the output of \`deliver.sh up dev\`. */
function newCheckout() {
  const root = mkdtempSync(join(tmpdir(), 'chronicle-deliver-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  function write(file: string, text: string): void {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
    chmodSync(join(root, file), 0o755)
  }
  write('node_modules/.bin/pulumi', `#!/bin/bash\n${PULUMI}\n`)
  write('node_modules/.bin/npm', `#!/bin/bash\n${NPM}\n`)
  write('infra/local/install.mjs', '')
  write('history.json', '[]')
  write('.gitignore', 'node_modules\nhistory.json\n')
  mkdirSync(join(root, 'infra/operate'))
  cpSync(SCRIPT, join(root, 'infra/operate/deliver.sh'))
  const git = (...args: string[]) => {
    const identity = ['-c', 'user.name=tester', '-c', 'user.email=tester@example.com']
    execFileSync('git', [...identity, ...args], { cwd: root, stdio: 'pipe' })
  }
  git('init', '--quiet')
  git('add', '--all')
  git('commit', '--quiet', '--message', 'first')
  return {
    deliver(env: Record<string, string> = {}): string {
      const options = {
        cwd: root,
        encoding: 'utf8',
        env: { ...process.env, GITHUB_OUTPUT: '', ...env },
      } as const
      const { stdout, stderr, status } = spawnSync('bash', ['infra/operate/deliver.sh', 'up', 'dev'], options)
      expect(status).toBe(1)
      return stdout + stderr
    },
    commit: () => git('commit', '--quiet', '--allow-empty', '--message', 'next'),
  }
}

test('goes back with the reason if the check of a new commit fails', () => {
  const output = newCheckout().deliver()
  expect(output).toContain(
    'The delivery of dev failed, so it goes back to the previous commit. WRONG  a reason\n',
  )
  expect(output).toContain('ROLLED BACK')
})

test('goes back nowhere if it delivers the commit again that runs already', () => {
  const checkout = newCheckout()
  checkout.deliver()
  const again = checkout.deliver()
  expect(again).toContain(
    'but it was this commit that ran there before, so there is nothing to go back to. WRONG',
  )
  expect(again).not.toContain('ROLLED BACK')
  checkout.commit()
  expect(checkout.deliver()).toContain('ROLLED BACK')
})

test('goes back nowhere if nothing was changed', () => {
  const checkout = newCheckout()
  checkout.deliver()
  checkout.commit()
  const refused = checkout.deliver({ REFUSED: 'yes' })
  expect(refused).toContain('failed before it changed anything, so the stack stays as it is.')
  expect(refused).not.toContain('ROLLED BACK')
})
