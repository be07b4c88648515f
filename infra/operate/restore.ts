// `npm run restore -- URL FILE|FOLDER`: fills empty spaces from a back-up. After a failure, a second run continues.
import { runTool, twoArguments } from '../cli/command-line.ts'
import { restoreSpaces } from './backup/restore-spaces.ts'
import { readService } from './service/service-option.ts'

const USAGE = 'npm run restore -- URL FILE|FOLDER [--again]'

async function main(): Promise<void> {
  const [url, path, again] = twoArguments(process.argv.slice(2), USAGE)
  await restoreSpaces(readService(url, USAGE), path, again)
}

runTool(main)
