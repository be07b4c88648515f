// `npm run simulate -- --seeds 3000 --from 1`, or `--seed 7` for one history again.
import { parseArgs } from 'node:util'
import { describeCampaign, runCampaign } from './campaign.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '300' },
    from: { type: 'string', default: '1' },
  },
})

const campaign = await runCampaign(Number(values.seed ?? values.from), values.seed ? 1 : Number(values.seeds))
console.log(describeCampaign(campaign))
if (campaign.failures.length > 0) process.exitCode = 1
