/** What a person reads if a run of the CLI failed for a reason that the doctor cannot see before it. */
export interface Remedy {
  readonly pattern: RegExp
  readonly sentence: (context: RemedyContext) => string
}

export interface RemedyContext {
  readonly stack: string
  /** The sentence of the doctor that says how to create a token. */
  readonly createToken: string
}

/** The first match counts. docs/operations.md has a line for each of these codes and texts. */
export const REMEDIES: readonly Remedy[] = [
  {
    pattern: ofCode(10037),
    sentence: () =>
      'The account has as many Workers as its plan allows. Delete one in the dashboard, or switch to the paid plan, then deploy again',
  },
  {
    pattern: ofCode(10089),
    sentence: () =>
      'The account has never used the Analytics Engine. Open https://dash.cloudflare.com/?to=/:account/workers/analytics-engine, set it up once, then deploy again',
  },
  {
    pattern: ofCode(100116, 100117),
    sentence: () =>
      'Another Worker or a DNS record of yours has the hostname. Remove it in the dashboard, or set another hostname, then deploy again',
  },
  {
    pattern: ofCode(10014),
    sentence: ({ stack }) =>
      `The account has a KV namespace of ${stack} that this state does not know: log in to the back-end that has the stack. If that state is lost and the namespace holds nothing of worth, delete the namespace in the dashboard`,
  },
  {
    pattern: ofCode(10063),
    sentence: () =>
      'The account has no workers.dev name. Choose one at https://dash.cloudflare.com/?to=/:account/workers/onboarding, then deploy again',
  },
  {
    pattern: ofCode(10079),
    sentence: () =>
      'Somebody deployed this script from elsewhere at the same time. Deploy again: the program then reads what is deployed',
  },
  {
    pattern: ofCode(9109, 10000),
    sentence: ({ createToken }) => `The token may read but not write. ${createToken}`,
  },
  {
    pattern: /the stack is currently locked by/,
    sentence: ({ stack }) =>
      `Another run is changing ${stack}: wait for its end. If it was killed, run: npx pulumi cancel --stack ${stack}`,
  },
  {
    pattern: /no stack named '.*' found/,
    sentence: ({ stack }) =>
      `Pulumi.${stack}.yaml belongs to a stack in another back-end: log in to that one. For a new stack in this one, remove encryptionsalt from the file, then deploy again`,
  },
  {
    pattern: /incorrect passphrase|passphrase must be set/,
    sentence: ({ stack }) =>
      `Set the passphrase with which ${stack} was created: export PULUMI_CONFIG_PASSPHRASE_FILE=<file>. Nothing else opens its secrets`,
  },
  {
    pattern: /failed to load checkpoint: EOF/,
    sentence: () => 'Another run was saving the state at that moment. Deploy again, one run at a time',
  },
]

/** Finds the remedy for the errors of a run; undefined if none of them is known. */
export function remedyFor(errors: string, context: RemedyContext): string | undefined {
  return REMEDIES.find(({ pattern }) => pattern.test(errors))?.sentence(context)
}

/** The provider quotes the API's reply, as JSON or in words. */
function ofCode(...codes: readonly number[]): RegExp {
  return new RegExp(String.raw`\bcode"?:?\s*(${codes.join('|')})\b`)
}
