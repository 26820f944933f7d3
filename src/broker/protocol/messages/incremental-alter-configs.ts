export const incrementalAlterConfigs = {
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: '0-1',
  flexible: '1+',
  request: {
    resources: [
      [
        {
          resourceType: ['int8', '0+'],
          resourceName: ['string', '0+'],
          configs: [
            [
              {
                name: ['string', '0+'],
                configOperation: ['int8', '0+'],
                value: ['string', '0+', { nullable: '0+' }],
              },
            ],
            '0+',
          ],
        },
      ],
      '0+',
    ],
    validateOnly: ['bool', '0+'],
  },
  response: {
    throttleTimeMs: ['int32', '0+'],
    responses: [
      [
        {
          errorCode: ['int16', '0+'],
          errorMessage: ['string', '0+', { nullable: '0+' }],
          resourceType: ['int8', '0+'],
          resourceName: ['string', '0+'],
        },
      ],
      '0+',
    ],
  },
} as const
