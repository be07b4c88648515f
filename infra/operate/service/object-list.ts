import { join } from 'node:path'
import { z } from 'zod'
import { ROOT } from '../../cli/root.ts'
import { UserError } from '../../cli/user-error.ts'
import { physicalNames } from '../../component/names.ts'
import {
  type ApiAnswer,
  askApi,
  type CloudflareApi,
  followProxy,
  withoutSlash,
} from '../../doctor/cloudflare-api.ts'
import { storedObjects } from '../../local/cloud/objects.ts'
import { readOutputs } from '../../local/outputs.ts'
import { readDeclaration } from '../../program/declaration.ts'

const CLASS = 'Chronicle'

/** The objects on one page, and the time in which the API must reply with it. */
const PAGE_OBJECTS = 1000
const DEADLINE_MS = 30_000

const Namespaces = z.array(
  z.object({ id: z.string(), class: z.string().optional(), script: z.string().optional() }),
)
const Objects = z.array(z.object({ id: z.string(), hasStoredData: z.boolean().optional() }))

/** A stack and the address of its service. */
export interface StackService {
  readonly api: string
  readonly stack: string
}

/**
 * Lists the ids of all objects of a stack that hold data: from the files of `npm start` for a local stack, and from the
 * account's API otherwise. Rejects with one line that says what to do.
 */
export async function listObjects({ api, stack }: StackService): Promise<readonly string[]> {
  const local = readOutputs(ROOT)
  if (local?.url === api) return storedObjects(join(ROOT, '.local', local.stack), CLASS)
  const { scriptName } = physicalNames(readDeclaration(ROOT).name, stack)
  const account = `accounts/${fromEnvironment('CLOUDFLARE_ACCOUNT_ID')}/workers/durable_objects/namespaces`
  const namespaces = await ask(`${account}?per_page=1000`, Namespaces)
  const found = namespaces.page.find(
    (namespace) => namespace.script === scriptName && namespace.class === CLASS,
  )
  if (found === undefined)
    throw new UserError(`the account has no objects of the script ${scriptName}. Name the stack with --stack`)
  const ids: string[] = []
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const next: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const listed: Page<z.infer<typeof Objects>> = await ask(
      `${account}/${found.id}/objects?limit=${PAGE_OBJECTS}${next}`,
      Objects,
    )
    ids.push(...listed.page.filter(({ hasStoredData }) => hasStoredData !== false).map(({ id }) => id))
    cursor = listed.page.length === 0 ? undefined : listed.cursor
  }
  return ids
}

interface Page<T> {
  readonly page: T
  readonly cursor: string | undefined
}

async function ask<T>(path: string, shape: z.ZodType<T>): Promise<Page<T>> {
  const baseUrl = withoutSlash(process.env.CLOUDFLARE_BASE_URL || undefined)
  followProxy(baseUrl)
  const token = fromEnvironment('CLOUDFLARE_API_TOKEN')
  const api: CloudflareApi = { baseUrl, token, signal: AbortSignal.timeout(DEADLINE_MS) }
  const answer: ApiAnswer = await askApi(api, path)
  if (answer.kind !== 'given')
    throw new UserError(
      `the account's API does not list the objects: ${answer.reason}. npm run doctor says more`,
    )
  const parsed = shape.safeParse(answer.result)
  if (!parsed.success) throw new UserError(`the account's API lists the objects in an unknown form: ${path}`)
  return { page: parsed.data, cursor: answer.cursor }
}

function fromEnvironment(name: 'CLOUDFLARE_ACCOUNT_ID' | 'CLOUDFLARE_API_TOKEN'): string {
  const value = process.env[name]
  if (value) return value
  throw new UserError(
    `${name} is not set, and only the account can list the objects of the stack. npm run doctor says what is needed`,
  )
}
