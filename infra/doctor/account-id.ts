import { z } from 'zod'
import { type ApiAnswer, askApi, type CloudflareApi } from './cloudflare-api.ts'
import { type Finding, wrong } from './finding.ts'

const ACCOUNT_ID = /^[0-9a-f]{32}$/
const SUBJECT = 'account'

const Accounts = z.array(z.object({ id: z.string(), name: z.string() }))
const Zone = z.object({ name: z.string(), account: z.object({ id: z.string() }) })

/** The accounts that the token sees. It sees none without Account Settings: Read, whatever else it may do. */
export type VisibleAccounts = z.infer<typeof Accounts>

/** The account of a stack, or the finding that explains its absence. */
export type ChosenAccount = { readonly id: string } | { readonly finding: Finding }

export interface AccountsAnswer {
  readonly answer: ApiAnswer
  readonly accounts: VisibleAccounts
}

export async function askVisibleAccounts(api: CloudflareApi): Promise<AccountsAnswer> {
  const answer = await askApi(api, 'accounts')
  const accounts = answer.kind === 'given' ? Accounts.safeParse(answer.result).data : undefined
  return { answer, accounts: accounts ?? [] }
}

/** The account that a stack names. */
export interface NamedAccount {
  readonly accountId: string | undefined
  /** The stack file that names it; undefined if the environment does. */
  readonly accountFile: string | undefined
}

/** Takes the configured account or, without one, the only account that the token sees. */
export function chooseAccount(named: NamedAccount, visible: VisibleAccounts): ChosenAccount {
  if (named.accountId) return checkId(named.accountId, named)
  const [first, second] = visible
  if (first && !second) return { id: first.id }
  if (second) {
    const found = `the token sees ${visible.length}: ${namesOf(visible)}`
    return { finding: wrong(SUBJECT, found, 'Choose one: export CLOUDFLARE_ACCOUNT_ID=<id>') }
  }
  const remedy =
    'Give it Account Settings: Read, or export CLOUDFLARE_ACCOUNT_ID (in the dashboard under Workers & Pages)'
  return { finding: wrong(SUBJECT, 'the token names none', remedy) }
}

function checkId(id: string, named: NamedAccount): ChosenAccount {
  if (ACCOUNT_ID.test(id)) return { id }
  const better = id.trim().toLowerCase()
  if (!ACCOUNT_ID.test(better)) {
    const remedy = `${setId('<id>', named)} (in the dashboard under Workers & Pages)`
    return { finding: wrong(SUBJECT, `the id ${better} is not 32 hex digits`, remedy) }
  }
  const found = id === id.trim() ? `the id ${id} is in upper case` : 'the id has a space or a line break'
  return { finding: wrong(SUBJECT, found, setId(better, named)) }
}

/** Says why nothing can be read in the account; undefined if the token sees the account. */
export async function explainForeign(
  api: CloudflareApi,
  named: NamedAccount,
  visible: VisibleAccounts,
): Promise<Finding | undefined> {
  const id = named.accountId
  if (!id || visible.some((account) => account.id === id)) return undefined
  const answer = await askApi(api, `zones/${id}`)
  const zone = answer.kind === 'given' ? Zone.safeParse(answer.result).data : undefined
  if (zone) return wrong(SUBJECT, `${id} is the id of the zone ${zone.name}`, setId(zone.account.id, named))
  const [first, second] = visible
  if (!first) return undefined
  const found = `the token does not see ${id}, only ${namesOf(visible)}`
  return wrong(
    SUBJECT,
    found,
    second ? `Choose one of these. ${setId('<id>', named)}` : setId(first.id, named),
  )
}

/** The stack file counts before the environment. */
function setId(id: string, { accountFile }: NamedAccount): string {
  return accountFile ? `Write accountId: ${id} in ${accountFile}` : `Run: export CLOUDFLARE_ACCOUNT_ID=${id}`
}

function namesOf(accounts: VisibleAccounts): string {
  return accounts.map(({ id, name }) => `${name} ${id}`).join(', ')
}
