import { beforeAll, expect, test } from 'vitest'
import { type Campaign, describeCampaign, runCampaign } from './campaign.ts'
import type { Invariant } from './values/violation.ts'

let campaign: Campaign

beforeAll(async () => {
  campaign = await runCampaign(1, 200)
  console.log(describeCampaign(campaign))
}, 300_000)

/** Passes if an invariant was asked for and always held; a failure names the seeds. */
function expectHeld(invariant: Invariant): void {
  expect(campaign.failures.filter((failure) => failure.invariant === invariant)).toEqual([])
  expect(campaign.asked.get(invariant)).toBeGreaterThan(100)
}

test('[IN1] all clients come to the same state once quiet, deletions included', () => {
  expectHeld('IN1')
})

test('[IN2] nothing that was acknowledged is lost: it stands, is in the history or a merge, or is a kept loser', () => {
  expectHeld('IN2')
})

test('[IN3] the feed ascends and no cursor goes back without a reset', () => {
  expectHeld('IN3')
})

test('[IN4] what is sent again takes effect once and is answered alike', () => {
  expectHeld('IN4')
})

test('[IN5] clients read what they wrote', () => {
  expectHeld('IN5')
})

test('[IN6] nothing is overwritten silently by who has not seen it', () => {
  expectHeld('IN6')
})

test('[IN7] nothing is refused because of a clock', () => {
  expectHeld('IN7')
})

test('[IN8] versions ascend by one, and one version is the same for everybody and for ever', () => {
  expectHeld('IN8')
})

test('[IN9] nobody is shown what their token does not grant', () => {
  expectHeld('IN9')
})

test('[IN10] a batch is there as a whole or not at all, wherever the process is killed', () => {
  expectHeld('IN10')
})

test('[SP1] whenever the process dies, nobody from before an erasure comes back, and nothing is left', () => {
  expectHeld('SP1')
})

test('no history ends in a request that fails or never ends', () => {
  expect(campaign.failures.filter(({ invariant }) => invariant === null)).toEqual([])
})

test('the histories hold what they are made for', () => {
  for (const figure of [
    'replays',
    'lost',
    'duplicates',
    'kills',
    'conflicts',
    'merges',
    'resets',
    'resolutions',
    'passes',
    'frames',
    'pushes',
    'cuts',
    'naps',
    'erasures',
  ] as const) {
    expect(campaign.figures.get(figure), figure).toBeGreaterThan(30)
  }
})
