// `npm run restore -- URL FILE`: fills an empty space from a backup. Run again after a failure, it goes on.
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { StartError } from '../local/start-error.ts'
import { runTool, twoArguments } from './command-line.ts'
import { readService } from './service-option.ts'
import { openSpace, type SpaceAccess } from './space-access.ts'

const USAGE = 'npm run restore -- URL FILE'

/** The platform takes no bodies past 100 MB on its smaller plans; a part is sent again whole if it fails. */
const PART_CHARS = 8 * 1024 * 1024

/** Some lines of a file. */
interface Part {
  readonly first: number
  readonly lines: readonly string[]
}

interface Reply {
  readonly line: number
  readonly entries: number
  readonly finished: boolean
}

async function main(): Promise<void> {
  const [url, file] = twoArguments(USAGE)
  const service = readService(url, USAGE)
  const space = await spaceOf(file)
  const access = await openSpace(service, space, 'restore')
  try {
    console.log(`${space}: ${await restore(access, file)} entries`)
  } finally {
    await access.close()
  }
}

/** The space that a file was made of. */
async function spaceOf(file: string): Promise<string> {
  for await (const { lines } of partsOf(file, 1)) {
    const [, space] = /^\{"type":"header".*?"space":("(?:[^"\\]|\\.)*")/.exec(lines[0] ?? '') ?? []
    if (space !== undefined) return JSON.parse(space)
  }
  throw new StartError(`${file} is no backup: its first line is no header of an export`)
}

async function restore(access: SpaceAccess, file: string): Promise<number> {
  let reply: Reply = { line: 0, entries: 0, finished: false }
  for await (const { first, lines } of partsOf(file, PART_CHARS)) {
    if (first + lines.length - 1 <= reply.line) continue
    const response = await access.send(`POST /api/import?line=${first}`, `${lines.join('\n')}\n`)
    reply = (await response.json()) as Reply
  }
  if (!reply.finished) throw new StartError(`${file} broke off after line ${reply.line}: it has no end`)
  return reply.entries
}

async function* partsOf(file: string, chars: number): AsyncGenerator<Part> {
  let [first, lines, length]: [number, string[], number] = [1, [], 0]
  for await (const line of linesOf(file)) {
    lines.push(line)
    length += line.length
    if (length < chars) continue
    yield { first, lines }
    ;[first, lines, length] = [first + lines.length, [], 0]
  }
  if (lines.length > 0) yield { first, lines }
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const input = createReadStream(file)
  const failed = new Promise<never>((_, reject) => input.once('error', reject))
  const lines = createInterface(input)[Symbol.asyncIterator]()
  for (;;) {
    const { value, done } = await Promise.race([lines.next(), failed]).catch((cause: Error) => {
      throw new StartError(`${file} cannot be read: ${cause.message}`)
    })
    if (done) return
    yield value
  }
}

runTool(main)
