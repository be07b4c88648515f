// `npm run doctor`: says of each thing that a deployment needs whether it is right, and what to do if not.
import { join } from 'node:path'
import { takeStack } from '../cli/stack-option.ts'
import { StartError } from '../cli/user-error.ts'
import { examine } from './examination.ts'
import { formatFinding, isWrong } from './finding.ts'

async function main(): Promise<void> {
  const { stack, rest } = takeStack(process.argv.slice(2))
  if (rest[0]) throw new StartError(`"${rest[0]}" is not known. Usage: npm run doctor -- [--stack dev]`)
  const findings = await examine({ root: join(import.meta.dirname, '../..'), stack, env: process.env })
  for (const finding of findings) console.log(formatFinding(finding))
  const count = findings.filter(isWrong).length
  console.log(
    count === 0 ? `\nThe stack ${stack} can be deployed.` : `\n${count} wrong: ${stack} cannot be deployed.`,
  )
  process.exit(count === 0 ? 0 : 1)
}

main().catch((error: unknown) => {
  console.error(error instanceof StartError ? `Error: ${error.message}` : error)
  process.exit(1)
})
