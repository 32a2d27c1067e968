// The lab walked by the JavaScript SDK (v3): prints what each step told, as one JSON object.
// The endpoint and the keys come from the environment, as a trainee's shell has them.

import { Readable } from "node:stream";

import { CloudFormationClient, ListStacksCommand } from "@aws-sdk/client-cloudformation";
import { CloudTrailClient, LookupEventsCommand, paginateLookupEvents } from "@aws-sdk/client-cloudtrail";
import {
  CloudWatchClient, GetMetricStatisticsCommand, ListMetricsCommand, PutMetricAlarmCommand, PutMetricDataCommand, DescribeAlarmsCommand,
} from "@aws-sdk/client-cloudwatch";
import { ConfigServiceClient, GetResourceConfigHistoryCommand } from "@aws-sdk/client-config-service";
import {
  DescribeRuleCommand, EventBridgeClient, ListRuleNamesByTargetCommand, PutEventsCommand, TestEventPatternCommand,
} from "@aws-sdk/client-eventbridge";
import {
  GetDetectorCommand, GetFindingsCommand, GetThreatIntelSetCommand, GuardDutyClient, ListDetectorsCommand, ListFindingsCommand,
  ListThreatIntelSetsCommand,
} from "@aws-sdk/client-guardduty";
import {
  DeleteFunctionConcurrencyCommand, GetFunctionCommand, InvokeCommand, LambdaClient, PutFunctionConcurrencyCommand,
} from "@aws-sdk/client-lambda";
import {
  CopyObjectCommand, CreateBucketCommand, CreateMultipartUploadCommand, CompleteMultipartUploadCommand, DeleteObjectsCommand,
  GetObjectCommand, HeadBucketCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client, UploadPartCommand,
} from "@aws-sdk/client-s3";
import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const settings = { endpoint: process.env.AWS_ENDPOINT_URL, region: process.env.AWS_REGION, maxAttempts: 1 };
const told = {};

async function failure(promise) {
  try {
    await promise;
    return null;
  } catch (error) {
    return { name: error.name, status: error.$metadata?.httpStatusCode, message: error.message };
  }
}

async function identity() {
  const sts = new STSClient(settings);
  told.identity = (await sts.send(new GetCallerIdentityCommand({}))).Arn;
}

async function finding() {
  const guardduty = new GuardDutyClient(settings);
  const [DetectorId] = (await guardduty.send(new ListDetectorsCommand({}))).DetectorIds;
  told.detector = (await guardduty.send(new GetDetectorCommand({ DetectorId }))).Status;
  const FindingCriteria = { Criterion: { "resource.resourceType": { Equals: ["Lambda"] } } };
  const { FindingIds } = await guardduty.send(new ListFindingsCommand({ DetectorId, FindingCriteria }));
  const { Findings } = await guardduty.send(new GetFindingsCommand({ DetectorId, FindingIds }));
  told.finding = Findings[0];
  const { ThreatIntelSetIds } = await guardduty.send(new ListThreatIntelSetsCommand({ DetectorId }));
  told.list = await guardduty.send(new GetThreatIntelSetCommand({ DetectorId, ThreatIntelSetId: ThreatIntelSetIds[0] }));
  told.unknownDetector = await failure(guardduty.send(new GetDetectorCommand({ DetectorId: "0".repeat(32) })));
  told.tooMany = await failure(guardduty.send(new ListFindingsCommand({ DetectorId, MaxResults: 51 })));
}

async function trail() {
  const client = new CloudTrailClient(settings);
  const LookupAttributes = [{ AttributeKey: "ResourceName", AttributeValue: "traffic-simulation" }];
  const names = [];
  for await (const page of paginateLookupEvents({ client }, { LookupAttributes })) {
    names.push(...page.Events.map((event) => [event.EventName, event.Username, event.EventTime.toISOString()]));
  }
  told.oldestEvent = names.at(-1);
  told.badLookup = await failure(client.send(new LookupEventsCommand({ NextToken: "none" })));
  const config = new ConfigServiceClient(settings);
  const which = { resourceType: "AWS::Lambda::Function", resourceId: "traffic-simulation" };
  told.items = (await config.send(new GetResourceConfigHistoryCommand(which))).configurationItems.length;
  told.unknownResource = await failure(config.send(new GetResourceConfigHistoryCommand({ ...which, resourceId: "none" })));
}

async function containment() {
  const lambda = new LambdaClient(settings);
  const FunctionName = "traffic-simulation";
  const described = await lambda.send(new GetFunctionCommand({ FunctionName }));
  told.codeStatus = (await fetch(described.Code.Location)).status;
  const invoked = await lambda.send(new InvokeCommand({ FunctionName, Payload: "{}", LogType: "Tail" }));
  told.invoked = { status: invoked.StatusCode, log: Buffer.from(invoked.LogResult, "base64").toString() };
  const limited = await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
  told.concurrency = limited.ReservedConcurrentExecutions;
  told.throttled = await failure(lambda.send(new InvokeCommand({ FunctionName })));
  await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
  told.unknownFunction = await failure(lambda.send(new GetFunctionCommand({ FunctionName: "none" })));
  const events = new EventBridgeClient(settings);
  const TargetArn = described.Configuration.FunctionArn;
  const { RuleNames } = await events.send(new ListRuleNamesByTargetCommand({ TargetArn }));
  told.rule = (await events.send(new DescribeRuleCommand({ Name: RuleNames[0] }))).State;
  const entry = { Source: "walk", DetailType: "walk", Detail: "{}" };
  told.failedEntries = (await events.send(new PutEventsCommand({ Entries: [entry] }))).FailedEntryCount;
  told.badPattern = await failure(events.send(new TestEventPatternCommand({ EventPattern: "{", Event: "{}" })));
  const { StackSummaries } = await new CloudFormationClient(settings).send(new ListStacksCommand({}));
  told.stacks = StackSummaries.length;
}

async function objects() {
  const s3 = new S3Client({ ...settings, forcePathStyle: true });
  const Bucket = "walk-of-javascript";
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new HeadBucketCommand({ Bucket }));
  const keys = ["plain", "folder/", "with space", "a%2Fb", "ünï/çødé ☃", "plus+sign=&?", "dots/../kept"];
  for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key.endsWith("/") ? "" : `body of ${Key}` }));
  told.keys = [];
  for (const Key of keys) {
    const read = await s3.send(new GetObjectCommand({ Bucket, Key }));
    told.keys.push([Key, await read.Body.transformToString()]);
  }
  told.listed = (await s3.send(new ListObjectsV2Command({ Bucket }))).Contents.map((each) => each.Key).sort();
  const large = Buffer.alloc(300_000, "0123456789");
  const Body = Readable.from([large.subarray(0, 70_000), large.subarray(70_000)]);
  await s3.send(new PutObjectCommand({ Bucket, Key: "stream", Body, ContentLength: large.length, Metadata: { colour: "blue" } }));
  const streamed = await s3.send(new GetObjectCommand({ Bucket, Key: "stream" }));
  told.stream = { whole: (await streamed.Body.transformToString()) === large.toString(), colour: streamed.Metadata.colour };
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key: "stream" }));
  told.head = { length: head.ContentLength, encoding: head.ContentEncoding ?? null };
  told.range = await (await s3.send(new GetObjectCommand({ Bucket, Key: "stream", Range: "bytes=5-9" }))).Body.transformToString();
  for (const ChecksumAlgorithm of ["CRC32", "CRC32C", "SHA1", "SHA256"]) {
    await s3.send(new PutObjectCommand({ Bucket, Key: ChecksumAlgorithm, Body: "checked", ChecksumAlgorithm }));
  }
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "parts" }));
  const part = await s3.send(new UploadPartCommand({ Bucket, Key: "parts", UploadId, PartNumber: 1, Body: large }));
  await s3.send(new CompleteMultipartUploadCommand({
    Bucket, Key: "parts", UploadId, MultipartUpload: { Parts: [{ ETag: part.ETag, PartNumber: 1 }] },
  }));
  await s3.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/with%20space` }));
  told.copy = await (await s3.send(new GetObjectCommand({ Bucket, Key: "copy" }))).Body.transformToString();
  const up = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: "presigned key" }), { expiresIn: 60 });
  told.presignedPut = (await fetch(up, { method: "PUT", body: "by URL" })).status;
  const down = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "presigned key" }), { expiresIn: 60 });
  told.presignedGet = await (await fetch(down)).text();
  told.missing = await failure(s3.send(new GetObjectCommand({ Bucket, Key: "none" })));
  told.missingHead = await failure(s3.send(new HeadObjectCommand({ Bucket, Key: "none" })));
  const Objects = keys.map((Key) => ({ Key }));
  told.deleted = (await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))).Deleted.length;
}

async function metrics() {
  const cloudwatch = new CloudWatchClient(settings);
  const Dimensions = [{ Name: "FunctionName", Value: "traffic-simulation" }];
  const { Metrics } = await cloudwatch.send(new ListMetricsCommand({ Namespace: "AWS/Lambda", MetricName: "Invocations" }));
  told.metrics = Metrics.length;
  const EndTime = new Date(Date.now() + 3_600_000);
  const StartTime = new Date(EndTime.getTime() - 12 * 3_600_000);
  const asked = { Namespace: "AWS/Lambda", MetricName: "Invocations", Dimensions, StartTime, EndTime, Period: 3600, Statistics: ["Sum"] };
  const { Datapoints } = await cloudwatch.send(new GetMetricStatisticsCommand(asked));
  told.invocations = Datapoints.reduce((sum, point) => sum + point.Sum, 0);
  told.isDate = Datapoints[0]?.Timestamp instanceof Date;
  await cloudwatch.send(new PutMetricDataCommand({ Namespace: "Walk", MetricData: [{ MetricName: "Steps", Value: 1.5, Timestamp: new Date() }] }));
  await cloudwatch.send(new PutMetricAlarmCommand({
    AlarmName: "walk", Namespace: "Walk", MetricName: "Steps", Statistic: "Sum", Period: 60, EvaluationPeriods: 1, Threshold: 1,
    ComparisonOperator: "GreaterThanThreshold",
  }));
  told.alarm = (await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNames: ["walk"] }))).MetricAlarms[0].Threshold;
  told.badMetric = await failure(cloudwatch.send(new GetMetricStatisticsCommand({ ...asked, Period: 0 })));
}

async function queue() {
  const sqs = new SQSClient(settings);
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "walk" }));
  const started = Date.now();
  const waiting = sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }));
  setTimeout(() => new SQSClient(settings).send(new SendMessageCommand({ QueueUrl, MessageBody: "late" })), 1000);
  const { Messages } = await waiting;
  told.longPoll = { body: Messages?.[0]?.Body ?? null, milliseconds: Date.now() - started };
  told.unknownQueue = await failure(sqs.send(new SendMessageCommand({ QueueUrl: `${QueueUrl}-none`, MessageBody: "x" })));
}

const steps = { identity, finding, trail, containment, objects, metrics, queue };
for (const [name, step] of Object.entries(steps)) {
  try {
    await step();
  } catch (error) {
    told.broken = [...(told.broken ?? []), `${name}: ${error.name}: ${error.message} ${JSON.stringify(error.$metadata ?? {})}`];
  }
}
console.log(JSON.stringify(told));
