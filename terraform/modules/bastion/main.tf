################################################################################
# A way into the VPC for people: Session Manager only, no key, no address, no inbound port
################################################################################

resource "aws_security_group" "this" {
  name        = "${var.name}-bastion"
  description = "Bastion: nothing in; out to Session Manager, and to what else lets it in"
  vpc_id      = var.vpc_id

  tags = merge(var.tags, { Name = "${var.name}-bastion" })
}

resource "aws_vpc_security_group_egress_rule" "endpoints" {
  security_group_id            = aws_security_group.this.id
  referenced_security_group_id = var.endpoint_security_group_id
  description                  = "HTTPS to the interface endpoints"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443

  tags = var.tags
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  security_group_id            = var.endpoint_security_group_id
  referenced_security_group_id = aws_security_group.this.id
  description                  = "HTTPS from the bastion"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443

  tags = var.tags
}

resource "aws_iam_role" "this" {
  name                 = "${var.name}-bastion"
  description          = "Bastion: Session Manager"
  permissions_boundary = var.permissions_boundary
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })

  tags = var.tags
}

resource "aws_iam_role_policy" "this" {
  # checkov:skip=CKV_AWS_290:Session Manager's channels know no resources.
  # checkov:skip=CKV_AWS_355:Session Manager's channels know no resources.
  name = "only"
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      # What Session Manager's agent needs; its channels know no resources (AWS's documented minimum).
      Sid    = "Sessions"
      Effect = "Allow"
      Action = [
        "ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
      ]
      Resource = "*"
    }]
  })
}

resource "aws_iam_instance_profile" "this" {
  name = "${var.name}-bastion"
  role = aws_iam_role.this.name

  tags = var.tags
}

resource "aws_launch_template" "this" {
  name_prefix = "${var.name}-bastion-"
  # Amazon's newest at each launch; the agent is in it.
  image_id      = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
  instance_type = var.instance_type

  iam_instance_profile {
    arn = aws_iam_instance_profile.this.arn
  }

  network_interfaces {
    subnet_id                   = var.subnet_id
    security_groups             = [aws_security_group.this.id, var.migration_security_group_id]
    associate_public_ip_address = false
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  monitoring {
    enabled = true
  }

  ebs_optimized = true

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      encrypted   = true
      kms_key_id  = var.kms_key_arn
      volume_size = 8
      volume_type = "gp3"
    }
  }

  tags = var.tags
}

resource "aws_instance" "this" {
  # checkov:skip=CKV_AWS_8:The launch template encrypts its disk.
  # checkov:skip=CKV_AWS_79:The launch template wants version 2 of the metadata service.
  # checkov:skip=CKV_AWS_126:The launch template has detailed monitoring on.
  # checkov:skip=CKV_AWS_135:The launch template has EBS optimisation on.
  # checkov:skip=CKV2_AWS_41:The launch template names the role.
  launch_template {
    id      = aws_launch_template.this.id
    version = aws_launch_template.this.latest_version
  }

  tags = merge(var.tags, { Name = "${var.name}-bastion" })
}
