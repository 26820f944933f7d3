export const electLeaders = {
  key: 43,
  name: 'ElectLeaders',
  versions: '0-2',
  flexible: '2+',
  request: {
    electionType: ['int8', '1+'],
    topicPartitions: [
      [
        {
          topic: ['string', '0+'],
          partitions: [['int32'], '0+'],
        },
      ],
      '0+',
      { nullable: '0+' },
    ],
    timeoutMs: ['int32', '0+', { default: 60000 }],
  },
  response: {
    throttleTimeMs: ['int32', '0+'],
    errorCode: ['int16', '1+'],
    replicaElectionResults: [
      [
        {
          topic: ['string', '0+'],
          partitionResult: [
            [
              {
                partitionId: ['int32', '0+'],
                errorCode: ['int16', '0+'],
                errorMessage: ['string', '0+', { nullable: '0+' }],
              },
            ],
            '0+',
          ],
        },
      ],
      '0+',
    ],
  },
} as const
