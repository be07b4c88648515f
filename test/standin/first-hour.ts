import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Exchange } from './terminal.ts'

const CHECKOUT = join(import.meta.dirname, '../..')

/** The commands of README for the first deployment: the first block of shell code in that section. */
export function readmeCommands(): readonly string[] {
  const text = readFileSync(join(CHECKOUT, 'README.md'), 'utf8').split('## Deploy to your own account\n')[1]
  return (/```sh\n([^`]*)\n```/.exec(text ?? '')?.[1] ?? '').split('\n')
}

/** The answers that a person types after one of these commands, on a new machine with a new account. */
export function answersTo(command: string, token: string): readonly Exchange[] {
  if (command.startsWith('read ')) return [[/./s, token]]
  if (command !== 'npm run deploy') return []
  return [
    [/Which name should your account have on workers\.dev\?/, 'acme'],
    [/1, 2 or 3\? \[1\] $/, ''],
    [/Write a new random one to \S+\? \[Y\/n\] $/, ''],
    [/Create the stack dev in the state\? \[Y\/n\] $/, ''],
    [/Deploy this\? Type yes: $/, 'yes'],
  ]
}
