/** A sentence for a person whose run of the CLI failed for a reason that the doctor cannot see before it. */
export interface Remedy {
  /** Codes of the API, or words of the CLI. */
  readonly marks: readonly string[]
  readonly sentence: (context: RemedyContext) => string
}

export interface RemedyContext {
  readonly stack: string
  /** The sentence of the doctor that says how to create a token. */
  readonly createToken: string
}

/** The first match counts. The table of troubles in docs/operations.md has a line for each mark. */
export const REMEDIES: readonly Remedy[] = [
  {
    marks: ['10037'],
    sentence: () =>
      'The account has as many Workers as its plan allows. Delete one in the dashboard, or switch to the paid plan, then deploy again',
  },
  {
    marks: ['10089'],
    sentence: () =>
      'The account has never used the Analytics Engine. Open https://dash.cloudflare.com/?to=/:account/workers/analytics-engine, set it up once, then deploy again',
  },
  {
    marks: ['100116', '100117'],
    sentence: () =>
      'Another Worker or a DNS record of yours has the hostname. Remove it in the dashboard, or set another hostname, then deploy again',
  },
  {
    marks: ['10014'],
    sentence: ({ stack }) =>
      `The account has a KV namespace of ${stack} that this state does not know: log in to the back-end that has the stack. If that state is lost and the namespace holds nothing of worth, delete the namespace in the dashboard`,
  },
  {
    marks: ['10063'],
    sentence: () =>
      'The account has no workers.dev name. Choose one at https://dash.cloudflare.com/?to=/:account/workers/onboarding, then deploy again',
  },
  {
    marks: ['10079'],
    sentence: () =>
      'Somebody deployed this script from elsewhere at the same time. Deploy again: the program then reads what is deployed',
  },
  {
    marks: ['9109', '10000'],
    sentence: ({ createToken }) => `The token may read but not write. ${createToken}`,
  },
  {
    marks: ['the stack is currently locked by'],
    sentence: ({ stack }) =>
      `Another run is changing ${stack}: wait for its end. If it was killed, run: npx pulumi cancel --stack ${stack}`,
  },
  {
    marks: ['no stack named'],
    sentence: ({ stack }) =>
      `Pulumi.${stack}.yaml belongs to a stack in another back-end: log in to that one. For a new stack in this one, remove encryptionsalt from the file, then deploy again`,
  },
  {
    marks: ['incorrect passphrase', 'passphrase must be set'],
    sentence: ({ stack }) =>
      `Set the passphrase with which ${stack} was created: export PULUMI_CONFIG_PASSPHRASE_FILE=<file>. Nothing else opens its secrets`,
  },
  {
    marks: ['failed to load checkpoint: EOF'],
    sentence: () => 'Another run was saving the state at that moment. Deploy again, one run at a time',
  },
]

/** Finds the remedy for the errors of a run; undefined if none of them is known. */
export function remedyFor(errors: string, context: RemedyContext): string | undefined {
  return REMEDIES.find(({ marks }) => marks.some((mark) => isIn(errors, mark)))?.sentence(context)
}

/** The provider quotes a code of the API as JSON or in words. */
function isIn(errors: string, mark: string): boolean {
  return /^\d+$/.test(mark) ? new RegExp(`\\bcode"?:?\\s*${mark}\\b`).test(errors) : errors.includes(mark)
}
