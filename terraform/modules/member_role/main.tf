################################################################################
# In a member account: the role by which the scanner reads named buckets here
################################################################################

data "aws_partition" "this" {}

resource "aws_iam_role" "this" {
  name                 = var.name
  description          = "Read by the S3 scanner of another account"
  max_session_duration = 3600
  permissions_boundary = var.permissions_boundary
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Scanner"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = var.scanner_role_arns }
      Condition = { StringEquals = { "sts:ExternalId" = var.external_id } }
    }]
  })

  tags = var.tags
}

resource "aws_iam_role_policy" "this" {
  name = "read"
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "List"
          Effect   = "Allow"
          Action   = ["s3:ListBucket", "s3:ListBucketVersions"]
          Resource = [for bucket in var.buckets : "arn:${data.aws_partition.this.partition}:s3:::${bucket}"]
        },
        {
          Sid      = "Read"
          Effect   = "Allow"
          Action   = ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectTagging", "s3:GetObjectVersionTagging"]
          Resource = [for bucket in var.buckets : "arn:${data.aws_partition.this.partition}:s3:::${bucket}/*"]
        },
      ],
      length(var.kms_key_arns) == 0 ? [] : [{
        Sid      = "Decrypt"
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = var.kms_key_arns
        Condition = {
          StringLike = { "kms:ViaService" = "s3.*.amazonaws.com" }
        }
      }],
    )
  })
}
