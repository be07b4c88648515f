// `npm run backup -- URL FOLDER`: exports the current entries of every space into a file of its own. The file has no
// history and no conflicts.

import { runTool, twoArguments } from '../cli/command-line.ts'
import { takeStack } from '../cli/stack-option.ts'
import { backUpSpaces } from './backup/backup-spaces.ts'
import { listObjects } from './service/object-list.ts'
import { checkStack, readService } from './service/service-option.ts'

const USAGE = 'npm run backup -- URL FOLDER [--stack NAME] [--again]'

async function main(): Promise<void> {
  const { stack, rest } = takeStack(process.argv.slice(2))
  const [url, folder, again] = twoArguments(rest, USAGE)
  const service = readService(url, USAGE)
  await checkStack(service, stack)
  await backUpSpaces(service, { folder, again, listObjects: () => listObjects({ api: service.api, stack }) })
}

runTool(USAGE, main)
