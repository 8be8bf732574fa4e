#include "base/clock.h"
#include "metrics/metrics.h"
#include "s3/door.h"

static const char *const names[S3_METRICS] = {
	[S3_GET_OBJECT] = "GetObject",
	[S3_PUT_OBJECT] = "PutObject",
	[S3_DELETE_OBJECT] = "DeleteObject",
	[S3_LIST_OBJECTS] = "ListObjects",
	[S3_HEAD_OBJECT] = "HeadObject",
	[S3_CREATE_MULTIPART] = "CreateMultipartUpload",
	[S3_UPLOAD_PART] = "UploadPart",
	[S3_COMPLETE_MULTIPART] = "CompleteMultipartUpload",
	[S3_ABORT_MULTIPART] = "AbortMultipartUpload",
	[S3_LIST_PARTS] = "ListParts",
	[S3_LIST_MULTIPARTS] = "ListMultipartUploads",
	[S3_COPY_OBJECT] = "CopyObject",
	[S3_DELETE_OBJECTS] = "DeleteObjects",
	[S3_HEAD_BUCKET] = "HeadBucket",
	[S3_LIST_BUCKETS] = "ListBuckets",
};

void s3_counters_open(struct s3_counters *counters)
{
	for (size_t i = 0; i < S3_METRICS; i++) {
		counters->success[i] = metric_series(METRIC_S3_OPERATIONS_TOTAL, names[i], "success", NULL);
		counters->error[i] = metric_series(METRIC_S3_OPERATIONS_TOTAL, names[i], "error", NULL);
		counters->seconds[i] = metric_series(METRIC_S3_OPERATION_DURATION_SECONDS, names[i], NULL);
	}
	counters->bytes_in = metric_series(METRIC_S3_BYTES_IN_TOTAL, NULL);
	counters->bytes_out = metric_series(METRIC_S3_BYTES_OUT_TOTAL, NULL);
}

void s3_count(struct s3_door *door, enum s3_metric metric, bool fine, int64_t start_ns)
{
	if (metric == S3_UNCOUNTED)
		return;
	metric_inc(fine ? door->counters.success[metric] : door->counters.error[metric]);
	if (fine)
		metric_observe_since(door->counters.seconds[metric], start_ns);
}
