# The least that is needed: which buckets, and where `make package` put the zips.

provider "aws" {}

module "s3scan" {
  source = "../.."

  buckets     = ["my-bucket"]
  package_dir = "${path.root}/../../../dist"
}

output "api_url" {
  description = "Where the API answers."
  value       = module.s3scan.api_url
}
