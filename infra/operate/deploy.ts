// `npm run deploy`: asks the doctor, then hands over to `pulumi up`. The provider itself would try a dead
// API again for three minutes without a word.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { findPulumi, type PulumiCli } from '../cli/pulumi-cli.ts'
import { takeStack } from '../cli/stack-option.ts'
import { UserError } from '../cli/user-error.ts'
import { examine } from '../doctor/examination.ts'
import { formatFinding, isWrong } from '../doctor/finding.ts'

const ROOT = join(import.meta.dirname, '../..')

async function main(): Promise<void> {
  const { stack, rest } = takeStack(process.argv.slice(2))
  const findings = await examine({ root: ROOT, stack, env: process.env })
  const telling = findings.filter(({ verdict }) => verdict !== 'right')
  for (const finding of telling) console.log(formatFinding(finding))
  const cli = findPulumi(ROOT, process.env)
  if (!cli || findings.some(isWrong)) {
    throw new UserError(`${stack} was not deployed. See npm run doctor; pulumi up itself asks no doctor`)
  }
  handOver(cli, ['up', '--stack', stack, '--policy-pack', 'infra/policy', ...rest])
}

/** Ends with the CLI, and with its code. */
function handOver({ path, env }: PulumiCli, args: readonly string[]): void {
  const child = spawn(path, args, { cwd: ROOT, env, stdio: 'inherit' })
  // Ctrl-C reaches the CLI by itself: it ends the update in order, and this waits for it.
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
