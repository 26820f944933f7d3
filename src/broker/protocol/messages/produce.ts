export const produce = {
  key: 0,
  name: 'Produce',
  versions: '3-13',
  flexible: '9+',
  request: {
    transactionalId: ['string', '3+', { nullable: '3+', default: null }],
    acks: ['int16', '0+'],
    timeoutMs: ['int32', '0+'],
    topicData: [
      [
        {
          name: ['string', '0-12'],
          topicId: ['uuid', '13+'],
          partitionData: [
            [
              {
                index: ['int32', '0+'],
                records: ['records', '0+', { nullable: '0+' }],
              },
            ],
            '0+',
          ],
        },
      ],
      '0+',
    ],
  },
  response: {
    responses: [
      [
        {
          name: ['string', '0-12'],
          topicId: ['uuid', '13+'],
          partitionResponses: [
            [
              {
                index: ['int32', '0+'],
                errorCode: ['int16', '0+'],
                baseOffset: ['int64', '0+'],
                logAppendTimeMs: ['int64', '2+', { default: -1 }],
                logStartOffset: ['int64', '5+', { default: -1 }],
                recordErrors: [
                  [
                    {
                      batchIndex: ['int32', '8+'],
                      batchIndexErrorMessage: ['string', '8+', { nullable: '8+', default: null }],
                    },
                  ],
                  '8+',
                ],
                errorMessage: ['string', '8+', { nullable: '8+', default: null }],
                currentLeader: [
                  {
                    leaderId: ['int32', '10+', { default: -1 }],
                    leaderEpoch: ['int32', '10+', { default: -1 }],
                  },
                  '10+',
                  { tag: 0, tagged: '10+' },
                ],
              },
            ],
            '0+',
          ],
        },
      ],
      '0+',
    ],
    throttleTimeMs: ['int32', '1+'],
    nodeEndpoints: [
      [
        {
          nodeId: ['int32', '10+'],
          host: ['string', '10+'],
          port: ['int32', '10+'],
          rack: ['string', '10+', { nullable: '10+', default: null }],
        },
      ],
      '10+',
      { tag: 0, tagged: '10+' },
    ],
  },
} as const
