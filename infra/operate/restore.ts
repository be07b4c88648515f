// `npm run restore -- URL FILE|FOLDER`: fills empty spaces from a back-up. After a failure, a second run continues.
import { runTool, twoArguments } from '../cli/command-line.ts'
import { takeStack } from '../cli/stack-option.ts'
import { restoreSpaces } from './backup/restore-spaces.ts'
import { checkStack, readService } from './service/service-option.ts'

const USAGE = 'npm run restore -- URL FILE|FOLDER [--stack NAME] [--again]'

async function main(): Promise<void> {
  const { stack, isNamed, rest } = takeStack(process.argv.slice(2))
  const [url, path, again] = twoArguments(rest, USAGE)
  const service = readService(url, USAGE)
  if (isNamed) await checkStack(service, stack)
  await restoreSpaces(service, path, again)
}

runTool(USAGE, main)
