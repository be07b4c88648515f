import { z } from 'zod'
import type { CliAnswer, PulumiCli } from '../cli/pulumi-cli.ts'
import { type Finding, oneLine, right, wrong } from './finding.ts'
import { parseJson } from './json-text.ts'

const Identity = z.object({ user: z.string(), url: z.string() })
const Stacks = z.array(z.object({ name: z.string() }))

/** Where the state is kept, undefined if nobody is logged in; `answer` is of `whoami --json`. */
export function backendUrl(answer: CliAnswer): string | undefined {
  return answer.kind === 'answered' ? parseJson(answer.stdout, Identity)?.url : undefined
}

export function examineLogin({ command }: PulumiCli, answer: CliAnswer): Finding {
  const login = `Run: ${command} login (Pulumi Cloud, a bucket or --local), or set PULUMI_BACKEND_URL`
  if (answer.kind === 'late')
    return wrong('state', 'its back-end does not answer', 'Check the network and PULUMI_BACKEND_URL')
  if (answer.kind === 'failed') return wrong('state', `cannot be reached (${reasonOf(answer.stderr)})`, login)
  const identity = parseJson(answer.stdout, Identity)
  if (!identity) return wrong('state', 'the CLI does not say where it is kept', login)
  return right('state', `kept at ${identity.url}, as ${identity.user}`)
}

/** Whether the back-end has the stack; `answer` is of `stack ls --json`. */
export function examineStack({ command }: PulumiCli, stack: string, answer: CliAnswer): Finding {
  if (answer.kind === 'late')
    return wrong('stack', 'the back-end did not list its stacks in time', 'Run it again')
  if (answer.kind === 'failed')
    return wrong('stack', `not known (${reasonOf(answer.stderr)})`, `Run: ${command} stack ls`)
  const stacks = parseJson(answer.stdout, Stacks) ?? []
  // Pulumi Cloud puts the organization before the name, unless it is the default one.
  if (stacks.some(({ name }) => `/${name}`.endsWith(`/${stack}`))) return right('stack', `${stack} exists`)
  return wrong('stack', `the back-end has none named ${stack}`, `Run: ${command} stack init ${stack}`)
}

/** What the CLI says is wrong, without the word before it. */
export function reasonOf(stderr: string): string {
  const line = /^error: .*/m.exec(stderr)?.[0] ?? oneLine(stderr)
  return line.replace(/^error: /, '')
}
