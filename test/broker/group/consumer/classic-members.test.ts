import { describe, it } from 'vitest'
import { plays } from './consumer-transcript.ts'

describe('members of the classic protocol in a group of the consumer protocol', () => {
  it('are led on by being told to join again: to give up partitions, and when others have given some up for them', () => {
    plays(
      { t: 4 },
      `0 join a topics=t => a in 1 has 't0,t1,t2,t3' [Stable 1/1 kept]
       1 enter c topics=t => c in 2 range [Reconciling 2/2 kept]
       2 sync c gen=2 => has '' [Reconciling 2/2]
       3 alive c gen=2 => NONE [Reconciling 2/2]
       4 beat a epoch=1 owns=t0,t1,t2,t3 => a in 1 has 't0,t1' [Reconciling 2/2 kept]
       5 beat a epoch=1 owns=t0,t1 => a in 2 [Reconciling 2/2 kept]
       6 alive c gen=2 => REBALANCE_IN_PROGRESS [Reconciling 2/2]
       7 enter c topics=t => c in 2 range [Stable 2/2 kept]
       8 sync c gen=2 => has 't2,t3' [Stable 2/2]
       9 alive c gen=2 => NONE [Stable 2/2]
       10 leave a => a in -1 [Assigning 3/2 kept]
       11 join b topics=t => b in 4 has 't0,t1' [Reconciling 4/4 kept]
       12 alive c gen=2 => REBALANCE_IN_PROGRESS [Reconciling 4/4]
       13 sync c gen=2 => REBALANCE_IN_PROGRESS [Reconciling 4/4]
       14 enter c topics=t owns=t2,t3 => c in 4 range [Stable 4/4 kept]
       15 sync c gen=2 => ILLEGAL_GENERATION [Stable 4/4]
       16 sync c gen=4 => has 't2,t3' [Stable 4/4]
       17 commit c epoch=2 => ILLEGAL_GENERATION [Stable 4/4]
       18 commit c epoch=4 => NONE [Stable 4/4]
       19 alive b gen=4 => UNKNOWN_MEMBER_ID [Stable 4/4]`,
    )
  })

  it('have what they say that they own until they join without it', () => {
    plays(
      { t: 2 },
      `0 enter c topics=t => c in 1 range [Stable 1/1 kept]
       1 sync c gen=1 => has 't0,t1' [Stable 1/1]
       2 join b topics=t => b in 2 has '' [Reconciling 2/2 kept]
       3 alive c gen=1 => REBALANCE_IN_PROGRESS [Reconciling 2/2]
       4 enter c topics=t owns=t0,t1 => c in 1 range [Reconciling 2/2 kept]
       5 sync c gen=1 => has 't0' [Reconciling 2/2]
       6 beat b epoch=2 => b in 2 [Reconciling 2/2 kept]
       7 alive c gen=1 => REBALANCE_IN_PROGRESS [Reconciling 2/2]
       8 enter c topics=t owns=t0 => c in 2 range [Reconciling 2/2 kept]
       9 beat b epoch=2 => b in 2 has 't1' [Stable 2/2 kept]`,
    )
  })

  it('are refused where they cannot be understood, or know no protocol that the others know', () => {
    plays(
      { t: 4 },
      `0 enter c id= topics=t asks => MEMBER_ID_REQUIRED [Empty 0/0]
       1 enter c topics=t type=connect => INCONSISTENT_GROUP_PROTOCOL [Empty 0/0]
       2 enter c topics=t malformed => INCONSISTENT_GROUP_PROTOCOL [Empty 0/0]
       3 enter c topics=t protocols=range,roundrobin => c in 1 range [Stable 1/1 kept]
       4 enter d topics=t protocols=sticky => INCONSISTENT_GROUP_PROTOCOL [Stable 1/1]
       5 enter d topics=t protocols=roundrobin => d in 2 roundrobin [Reconciling 2/2 kept]
       6 join a topics=t => a in 3 has '' [Reconciling 3/3 kept]
       7 enter e topics=t => GROUP_MAX_SIZE_REACHED [Reconciling 3/3]`,
    )
  })

  it('are taken out when their own session is over', () => {
    plays(
      { t: 1 },
      `0 join a topics=t => a in 1 has 't0' [Stable 1/1 kept]
       0 enter c topics=t => c in 2 range [Reconciling 2/2 kept]
       9999 tick => a c [Reconciling 2/2]
       10000 tick => a [Assigning 3/2 kept]
       10001 alive c gen=2 => UNKNOWN_MEMBER_ID [Assigning 3/2]`,
    )
  })

  it('are taken out when they do not join again as they were told, or never ask for what they have', () => {
    plays(
      { t: 1 },
      `0 enter c topics=t => c in 1 range [Stable 1/1 kept]
       1 sync c gen=1 => has 't0' [Stable 1/1]
       2 join b topics=t => b in 2 has '' [Reconciling 2/2 kept]
       10 alive c gen=1 => REBALANCE_IN_PROGRESS [Reconciling 2/2]
       9000 alive c gen=1 => REBALANCE_IN_PROGRESS [Reconciling 2/2]
       18000 alive c gen=1 => REBALANCE_IN_PROGRESS [Reconciling 2/2]
       20010 tick => b [Assigning 3/2 kept]`,
    )
    plays(
      { t: 1 },
      `0 enter c topics=t => c in 1 range [Stable 1/1 kept]
       9000 alive c gen=1 => NONE [Stable 1/1]
       18000 alive c gen=1 => NONE [Stable 1/1]
       20000 tick =>  [Empty 2/1 kept]`,
    )
  })

  it('may be static: who comes back has what it had, in either protocol', () => {
    plays(
      { t: 2 },
      `0 enter c id= static=s topics=t => c in 1 range [Stable 1/1 kept]
       1 sync c gen=1 static=s => has 't0,t1' [Stable 1/1]
       2 enter d id= static=s topics=t => d in 1 range [Stable 1/1 kept]
       3 sync c gen=1 static=s => FENCED_INSTANCE_ID [Stable 1/1]
       4 alive c gen=1 static=s => FENCED_INSTANCE_ID [Stable 1/1]
       5 sync d gen=1 static=s => has 't0,t1' [Stable 1/1]
       6 enter e id=x static=s topics=t => FENCED_INSTANCE_ID [Stable 1/1]
       7 enter f id=x static=z topics=t => UNKNOWN_MEMBER_ID [Stable 1/1]
       8 join g static=s topics=t => g in 1 has 't0,t1' [Stable 1/1 kept]
       9 alive d gen=1 static=s => FENCED_INSTANCE_ID [Stable 1/1]
       10 beat g epoch=1 static=s owns=t0,t1 => g in 1 [Stable 1/1]`,
    )
  })
})
