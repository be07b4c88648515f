// `eval "$(npm run --silent state:r2)"`: keeps the state of the stacks in an R2 bucket of the same account. Creates the
// bucket if it is missing, and prints the variables that the Pulumi CLI needs to use it.
import { createHash } from 'node:crypto'
import { answerHelp } from '../cli/help.ts'
import { ROOT } from '../cli/root.ts'
import { takeStack } from '../cli/stack-option.ts'
import { UserError } from '../cli/user-error.ts'
import { type AccountOptions, findAccount, toApi } from '../doctor/account.ts'
import { type ApiAnswer, askApi, type CloudflareApi, changeApi } from '../doctor/cloudflare-api.ts'
import { tokenId, verifyToken } from '../doctor/token.ts'
import { createToken } from '../doctor/token-link.ts'
import { stackAccount } from './stack-account.ts'

const BUCKET = 'chronicle-sync-state'
const ANSWER_MS = 20_000

/** The API's code for an account that has not enabled R2. */
const NOT_ENABLED_CODE = 10042

const USAGE = 'eval "$(npm run --silent state:r2 -- [--stack dev])"'

async function main(): Promise<void> {
  answerHelp(process.argv.slice(2), USAGE)
  const { stack } = takeStack(process.argv.slice(2))
  if (process.stdout.isTTY)
    throw new UserError(
      'this command prints a secret for the shell. Run: eval "$(npm run --silent state:r2)"',
    )
  const options: AccountOptions = {
    ...stackAccount(ROOT, stack, process.env),
    keepsStateInR2: true,
    signal: AbortSignal.timeout(ANSWER_MS),
  }
  const { token } = options
  const accountId = await findAccount(options)
  if (!token || !accountId) throw new UserError('there is no usable token and account. Run: npm run doctor')
  const api = toApi(options, token)
  await ensureBucket(api, accountId, options)
  const id = tokenId(await verifyToken(api, accountId))
  if (!id) throw new UserError('the API does not name the id of the token. Run: npm run doctor')
  console.log(exportsFor({ accountId, id, token }))
  console.error(
    `The state is kept in the R2 bucket ${BUCKET} from now on, in this shell. CI needs the same variables.`,
  )
}

async function ensureBucket(api: CloudflareApi, accountId: string, options: AccountOptions): Promise<void> {
  const buckets = `accounts/${accountId}/r2/buckets`
  const found = await askApi(api, `${buckets}/${BUCKET}`)
  if (found.kind === 'given') return
  const made =
    found.kind === 'absent'
      ? await changeApi(api, buckets, { method: 'POST', body: { name: BUCKET } })
      : found
  if (made.kind !== 'given') throw new UserError(explain(made, options))
}

function explain(answer: Exclude<ApiAnswer, { kind: 'given' }>, options: AccountOptions): string {
  if ('code' in answer && answer.code === NOT_ENABLED_CODE)
    return 'the account has not enabled R2. Open https://dash.cloudflare.com/?to=/:account/r2 once, then run this again'
  if (answer.kind === 'refused') return `the token lacks Workers R2 Storage: Edit. ${createToken(options)}`
  return `the bucket ${BUCKET} is neither there nor can it be created (${answer.reason})`
}

interface Credentials {
  readonly accountId: string
  readonly id: string
  readonly token: string
}

/**
 * The S3 credentials of a token are its id and the SHA-256 of its value (developers.cloudflare.com/r2/api/tokens). Hex
 * digits need no quotes.
 */
function exportsFor({ accountId, id, token }: Credentials): string {
  const endpoint = `https://${accountId}.r2.cloudflarestorage.com`
  const secret = createHash('sha256').update(token).digest('hex')
  return [
    `export PULUMI_BACKEND_URL='s3://${BUCKET}?endpoint=${endpoint}&region=auto&s3ForcePathStyle=true'`,
    `export AWS_ACCESS_KEY_ID=${id} AWS_SECRET_ACCESS_KEY=${secret}`,
    'unset AWS_SESSION_TOKEN',
  ].join('\n')
}

main().catch((error: unknown) => {
  console.error(error instanceof UserError ? `Error: ${error.message}` : error)
  process.exitCode = 1
})
