// `npm run doctor`: the preflight check of a deployment. Each line says whether one thing is right, and the remedy if not.
import { answerHelp } from '../cli/help.ts'
import { ROOT } from '../cli/root.ts'
import { takeStack } from '../cli/stack-option.ts'
import { UserError } from '../cli/user-error.ts'
import { doctorDeadline, examine } from './examination.ts'
import { formatFinding, isMissing, isWrong } from './finding.ts'

const USAGE = 'npm run doctor -- [--stack dev]'

async function main(): Promise<void> {
  answerHelp(process.argv.slice(2), USAGE)
  const { stack, rest } = takeStack(process.argv.slice(2))
  if (rest[0]) throw new UserError(`"${rest[0]}" is not an option. Usage: ${USAGE}`)
  const { env } = process
  const findings = await examine({ root: ROOT, stack, env, signal: doctorDeadline(env, process.uptime()) })
  for (const finding of findings) console.log(formatFinding(finding))
  const [wrong, missing] = [findings.filter(isWrong).length, findings.filter(isMissing).length]
  console.log(`\n${conclude(stack, wrong, missing)}`)
  process.exit(wrong + missing === 0 ? 0 : 1)
}

function conclude(stack: string, wrong: number, missing: number): string {
  const npmRun = stack === 'dev' ? 'npm run deploy' : `npm run deploy -- --stack ${stack}`
  if (wrong > 0) return `${wrong} wrong: ${stack} cannot be deployed.`
  if (missing > 0) return `${missing} to do before ${stack} can be deployed: ${npmRun} asks, and does it.`
  return `The stack ${stack} can be deployed.`
}

main().catch((error: unknown) => {
  console.error(error instanceof UserError ? `Error: ${error.message}` : error)
  process.exit(1)
})
