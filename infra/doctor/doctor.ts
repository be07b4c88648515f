// `npm run doctor`: the preflight check of a deployment. Each line says whether one thing is right, and the remedy if not.
import { ROOT } from '../cli/root.ts'
import { takeStack } from '../cli/stack-option.ts'
import { UserError } from '../cli/user-error.ts'
import { examine } from './examination.ts'
import { formatFinding, isWrong } from './finding.ts'

async function main(): Promise<void> {
  const { stack, rest } = takeStack(process.argv.slice(2))
  if (rest[0]) throw new UserError(`"${rest[0]}" is not an option. Usage: npm run doctor -- [--stack dev]`)
  const findings = await examine({ root: ROOT, stack, env: process.env })
  for (const finding of findings) console.log(formatFinding(finding))
  const count = findings.filter(isWrong).length
  console.log(
    count === 0 ? `\nThe stack ${stack} can be deployed.` : `\n${count} wrong: ${stack} cannot be deployed.`,
  )
  process.exit(count === 0 ? 0 : 1)
}

main().catch((error: unknown) => {
  console.error(error instanceof UserError ? `Error: ${error.message}` : error)
  process.exit(1)
})
