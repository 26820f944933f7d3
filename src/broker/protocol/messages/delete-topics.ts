export const deleteTopics = {
  key: 20,
  name: 'DeleteTopics',
  versions: '1-6',
  flexible: '4+',
  request: {
    topics: [
      [
        {
          name: ['string', '6+', { nullable: '6+', default: null }],
          topicId: ['uuid', '6+'],
        },
      ],
      '6+',
    ],
    topicNames: [['string'], '0-5'],
    timeoutMs: ['int32', '0+'],
  },
  response: {
    throttleTimeMs: ['int32', '1+'],
    responses: [
      [
        {
          name: ['string', '0+', { nullable: '6+' }],
          topicId: ['uuid', '6+'],
          errorCode: ['int16', '0+'],
          errorMessage: ['string', '5+', { nullable: '5+', default: null }],
        },
      ],
      '0+',
    ],
  },
} as const
