export const apiVersions = {
  key: 18,
  name: 'ApiVersions',
  versions: '0-4',
  flexible: '3+',
  request: {
    clientSoftwareName: ['string', '3+'],
    clientSoftwareVersion: ['string', '3+'],
  },
  response: {
    errorCode: ['int16', '0+'],
    apiKeys: [
      [
        {
          apiKey: ['int16', '0+'],
          minVersion: ['int16', '0+'],
          maxVersion: ['int16', '0+'],
        },
      ],
      '0+',
    ],
    throttleTimeMs: ['int32', '1+'],
    supportedFeatures: [
      [
        {
          name: ['string', '3+'],
          minVersion: ['int16', '3+'],
          maxVersion: ['int16', '3+'],
        },
      ],
      '3+',
      { tag: 0, tagged: '3+' },
    ],
    finalizedFeaturesEpoch: ['int64', '3+', { tag: 1, tagged: '3+', default: -1 }],
    finalizedFeatures: [
      [
        {
          name: ['string', '3+'],
          maxVersionLevel: ['int16', '3+'],
          minVersionLevel: ['int16', '3+'],
        },
      ],
      '3+',
      { tag: 2, tagged: '3+' },
    ],
    zkMigrationReady: ['bool', '3+', { tag: 3, tagged: '3+' }],
  },
} as const
