import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { UserError } from '../../cli/user-error.ts'

/** What the file of a space ends with. */
export const EXTENSION = '.ndjson'

/** Longer than the last line of an export. */
const END_BYTES = 1024

/** File systems take names of 255 bytes: this leaves room for a digest, the extension and `.part`. */
const MAX_NAME_CHARS = 180

/**
 * The name of a space's file: never that of another space, on file systems either that take capital and small letters
 * for the same.
 */
export function fileNameOf(space: string): string {
  const name = encodeURIComponent(space).replace(/(?<!%.?)[A-Z]/g, (letter) => `%${hexOf(letter)}`)
  if (name.length <= MAX_NAME_CHARS) return name + EXTENSION
  const digest = createHash('sha256').update(space).digest('hex').slice(0, 32)
  return `${name.slice(0, MAX_NAME_CHARS)}-${digest}${EXTENSION}`
}

function hexOf(letter: string): string {
  return letter.charCodeAt(0).toString(16)
}

/** How many entries a file counts in its last line; undefined if there is no such file, or it broke off. */
export async function entriesIn(file: string): Promise<number | undefined> {
  if (!existsSync(file)) return undefined
  const written = await open(file)
  try {
    const { size } = await written.stat()
    const { buffer, bytesRead } = await written.read({ position: Math.max(0, size - END_BYTES) })
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n')
    const [last = '', rest] = lines.slice(-2)
    return rest === '' && last.startsWith('{"type":"end"') ? JSON.parse(last).entries : undefined
  } finally {
    await written.close()
  }
}

/** The space that a file was made of. */
export async function spaceOf(file: string): Promise<string> {
  for await (const line of linesOf(file)) {
    const [, space] = /^\{"type":"header".*?"space":("(?:[^"\\]|\\.)*")/.exec(line) ?? []
    if (space !== undefined) return JSON.parse(space)
    break
  }
  throw new UserError(`${file} is no backup: its first line is no header of an export`)
}

export async function* linesOf(file: string): AsyncGenerator<string> {
  const input = createReadStream(file)
  const failed = new Promise<never>((_, reject) => input.once('error', reject))
  const lines = createInterface(input)[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { value, done } = await Promise.race([lines.next(), failed]).catch((cause: Error) => {
        throw new UserError(`${file} cannot be read: ${cause.message}`)
      })
      if (done) return
      yield value
    }
  } finally {
    input.destroy()
  }
}
