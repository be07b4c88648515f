// `npm run backup -- URL FOLDER`: every space, a file each: its export, which clients see now, without history and
// conflicts.
import { backUpSpaces } from './backup-spaces.ts'
import { runTool, twoArguments } from './command-line.ts'
import { listObjects } from './object-list.ts'
import { readService } from './service-option.ts'
import { takeStack } from './stack-option.ts'

const USAGE = 'npm run backup -- URL FOLDER [--stack NAME] [--again]'

async function main(): Promise<void> {
  const { stack, rest } = takeStack(process.argv.slice(2))
  const [url, folder, again] = twoArguments(rest, USAGE)
  const service = readService(url, USAGE)
  await backUpSpaces(service, { folder, again, listObjects: () => listObjects({ api: service.api, stack }) })
}

runTool(main)
