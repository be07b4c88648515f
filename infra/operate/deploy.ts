// `npm run deploy`: runs the doctor, then `pulumi up` with the policies. Without the doctor, the provider would retry a
// dead API for three minutes without a word.

import { spawn } from 'node:child_process'
import { findPulumi, type PulumiCli } from '../cli/pulumi-cli.ts'
import { ROOT } from '../cli/root.ts'
import { takeStack } from '../cli/stack-option.ts'
import { UserError } from '../cli/user-error.ts'
import { examine } from '../doctor/examination.ts'
import { formatFinding, isWrong } from '../doctor/finding.ts'

async function main(): Promise<void> {
  const { stack, rest } = takeStack(process.argv.slice(2))
  const findings = await examine({ root: ROOT, stack, env: process.env })
  const telling = findings.filter(({ verdict }) => verdict !== 'right')
  for (const finding of telling) console.log(formatFinding(finding))
  const cli = findPulumi(ROOT, process.env)
  if (!cli || findings.some(isWrong)) {
    throw new UserError(`${stack} was not deployed. Fix the lines above, or run pulumi up without the doctor`)
  }
  handOver(cli, ['up', '--stack', stack, '--policy-pack', 'infra/policy', ...rest])
}

/** Runs the CLI and exits with its code. */
function handOver({ path, env }: PulumiCli, args: readonly string[]): void {
  const child = spawn(path, args, { cwd: ROOT, env, stdio: 'inherit' })
  // Ctrl-C also reaches the CLI, which ends the update in order. This process waits for it.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  child.on('error', (error) => fail(new UserError(`${path} cannot be started: ${error.message}`)))
  child.on('close', (code) => process.exit(code ?? 1))
}

function fail(error: unknown): void {
  console.error(error instanceof UserError ? `Error: ${error.message}` : error)
  process.exit(1)
}

main().catch(fail)
